"""The images of a task: found in every documented field, fetched or read from storage, and their use renewed.

"Wherever docs say 'image', four forms are taken: UUID (uploaded or generated), URL, data URI, base64."
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PIL.Image import Image
from sqlalchemy import Connection

from runware_mock.images.codec import opened
from runware_mock.images.formats import Picture, PictureRefused
from runware_mock.images.guard import FetchFailed
from runware_mock.images.source import read_source
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Task, is_uuid, kind_of
from runware_mock.services import Caller, Services
from runware_mock.settings import PICTURES
from runware_mock.storage import media
from runware_mock.storage.blobs import ObjectGone
from runware_mock.tasks.validation import TaskModel

# "https://im.runware.ai/image/ii/<imageUUID>.<ext>": clients build it themselves from an imageUUID.
_RUNWARE_HOSTS = ("https://im.runware.ai", "https://vm.runware.ai", "https://am.runware.ai")
_MEDIUM_PATH = re.compile(
    r"/(?:image|video|audio|3d)/(?:[^?#]*/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.\w+)?(?:[?#].*)?",
    re.IGNORECASE,
)

# Every field that takes an image by the tasks' documentation, old style and `inputs.*`.
IMAGE_FIELDS = frozenset(
    (
        *("image", "images", "inputImage", "inputImages", "seedImage", "maskImage", "mask", "inputMasks"),
        *("referenceImage", "referenceImages", "references", "refImages", "guideImage", "guideImages", "poseImage"),
        *("frontalImage", "styleImage", "styleReferenceImages", "characterImage", "firstImage", "lastImage"),
        "frameImages",
    )
)
# The fields in which tasks that change or describe a picture look for it.
INPUT_FIELDS = ("image", "images", "inputImage", "inputImages")
_OWN_FIELDS = frozenset(("taskType", "taskUUID", "webhookURL", "uploadEndpoint"))

# Guess: the services behind the real one take up to 16 reference images.
MAX_IMAGES = 16
_DEEPEST = 16
# Errors repeat the names of fields, which the client chooses.
_LONGEST_NAME = 64
FILE_GONE = "Its file is gone from the object storage."


@dataclass(frozen=True, slots=True)
class Input:
    """One image of a task: its path in the task, its bytes, and its UUID if it is stored.

    `page` is the documentation that the task's errors refer to.
    """

    path: str
    picture: Picture
    uuid: str | None
    page: str

    def open(self) -> Image:
        """Return the decoded picture, turned as its EXIF orientation says; raises the refusal invalidInputImage."""
        try:
            return opened(self.picture)
        except PictureRefused as error:
            raise refuse("invalidInputImage", str(error), parameter=self.path, page=self.page) from error


class Inputs:
    """The images of one task, all loaded and intact; `use` renews the stored ones in the task's transaction."""

    def __init__(self, task: TaskModel, services: Services, caller: Caller) -> None:
        self._services = services
        self._caller = caller
        self._page = task.page
        self._used: dict[str, str] = {}
        self.all = [self._load(path, value) for path, value in _found(task.sent, task.page)]

    def first(self, *names: str) -> Input | None:
        """Return the first image whose field has one of these names, at any depth, or None."""
        return next(iter(self.named(*names)), None)

    def named(self, *names: str) -> list[Input]:
        """Return the images whose field has one of these names, at any depth."""
        return [found for found in self.all if field_of(found.path) in names]

    def use(self, connection: Connection) -> None:
        """Renew the last use of every stored image; raises the refusal of one that has gone meanwhile."""
        moment = self._services.moment(self._caller.account.id)
        for uuid, path in self._used.items():
            if media.use(connection, self._caller.account.id, uuid, moment) is None:
                raise self._not_stored(path)

    def _load(self, path: str, value: str) -> Input:
        uuid = named_uuid(value, self._caller.base_url)
        if uuid is not None:
            return self._load_stored(path, uuid)
        try:
            source = read_source(value)
            if isinstance(source, str):
                source = self._services.fetch(source)
            return Input(path, self._services.codec.stored_form(source), None, self._page)
        except FetchFailed as error:
            raise refuse("failedToTransferImage", str(error), parameter=path, page=self._page) from error
        except PictureRefused as error:
            raise refuse("invalidInputImage", str(error), parameter=path, page=self._page) from error

    def _load_stored(self, path: str, uuid: str) -> Input:
        with self._services.database.reading() as connection:
            account_id = self._caller.account.id
            file = media.read_own(connection, account_id, uuid, self._services.moment(account_id))
        if file is None:
            raise self._not_stored(path)
        if file.format not in PICTURES:
            hint = f"The medium of this UUID is {file.format.upper()}."
            raise refuse("invalidInputImage", hint, parameter=path, page=self._page)
        try:
            picture = self._services.blobs.picture(file)
        except ObjectGone:
            raise self._not_stored(path, FILE_GONE) from None
        self._used.setdefault(uuid, path)
        return Input(path, picture, uuid, self._page)

    def _not_stored(
        self, path: str, hint: str = "No image of this UUID is stored for this API key, or it has expired."
    ) -> Refusal:
        # The one field whose transcript of an unknown UUID shows another code.
        code = "invalidInputImage" if field_of(path) == "seedImage" else "failedToTransferImage"
        return refuse(code, hint, parameter=path, page=self._page)


def missing_input(task: TaskModel) -> Refusal:
    """Return the refusal of a task without a picture; it names the field that belongs to the task's form."""
    inputs = task.sent.get("inputs")
    if "video" in (inputs if isinstance(inputs, Mapping) else task.sent):
        path = "inputs.video" if isinstance(inputs, Mapping) else "video"
        return task.invalid(path, "This is a video, and runware-mock works on images alone.", "string")
    return task.missing("inputs.image" if "inputs" in task.sent else "inputImage", "string", task.sent)


def named_uuid(value: str, base_url: str) -> str | None:
    """Return the UUID that a text is, or that a medium's URL contains, or None."""
    return value.lower() if is_uuid(value) else stored_uuid(value, base_url)


def stored_uuid(url: str, base_url: str) -> str | None:
    """Return the UUID in the URL of a stored medium at this server or the real service, or None."""
    for base in (base_url, *_RUNWARE_HOSTS):
        if url.startswith(base + "/") and (match := _MEDIUM_PATH.fullmatch(url, len(base))):
            return match[1].lower()
    return None


def field_of(path: str) -> str:
    """Return the name of the field at a path: `referenceImages` of `inputs.referenceImages[0]`."""
    return path.rpartition(".")[2].partition("[")[0]


def _found(task: Task, page: str) -> Iterator[tuple[str, str]]:
    for name, value in task.items():
        if name not in _OWN_FIELDS:
            yield from _found_in(name[:_LONGEST_NAME], value, page, depth=1)


def _found_in(path: str, value: object, page: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        raise refuse("invalidRequest", f"The parameter {path[:60]} is nested too deeply.")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _found_in(f"{path}.{name[:_LONGEST_NAME]}", inner, page, depth + 1)
    elif isinstance(value, list):
        is_image = field_of(path) in IMAGE_FIELDS
        if is_image and len(value) > MAX_IMAGES:
            hint = f"At most {MAX_IMAGES} images are taken; these are {len(value)}."
            raise refuse("invalidInputImagesCount", hint, parameter=path, page=page, max=MAX_IMAGES)
        for index, inner in enumerate(value):
            yield from _found_in(f"{path}[{index}]", inner, page, depth + 1)
    elif field_of(path) in IMAGE_FIELDS and value is not None:
        if not isinstance(value, str):
            raise refuse("invalidInputImage", f"The value is {kind_of(value)}.", parameter=path, page=page)
        yield path, value
