"""imageUpload and mediaStorage: store a file, sent as bytes, as a URL to fetch, or as the URL of a stored medium.

mediaStorage takes "any media type: image, video, audio, 3D", and deletes as well: "`operation` is echoed; delete has
**no** mediaURL".
"""

import hashlib
from collections.abc import Callable, Collection
from functools import partial

from msgspec import Struct
from sqlalchemy import Connection

from runware_mock.images.codec import Codec
from runware_mock.images.formats import FORMATS, Picture, PictureRefused, detect_format, unaccepted, url_path
from runware_mock.images.guard import FetchFailed
from runware_mock.images.source import read_source
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Item, kind_of
from runware_mock.services import Caller, Services
from runware_mock.settings import PICTURES
from runware_mock.storage import contents, media
from runware_mock.storage.contents import StoredContent
from runware_mock.tasks.inputs import FILE_GONE, named_uuid, stored_uuid
from runware_mock.tasks.models import ImageUpload, MediaStorage
from runware_mock.tasks.results import add_medium, echoed
from runware_mock.tasks.validation import misspelled
from runware_mock.tasks.work import ContentGone, Done, Work

_STORED_AS_THEY_ARE = tuple(name for name, known in FORMATS.items() if known.kind != "image")

# Writes the content, unless it is there already, and returns it.
StoreContent = Callable[[Connection], StoredContent]


def run_image_upload(task: ImageUpload, services: Services, caller: Caller) -> Work:
    """Store the picture; the item holds its imageUUID and imageURL."""
    image = task.image
    if image is None:
        raise refuse("missingImage", misspelled("image", task.sent))
    if not isinstance(image, str):
        raise refuse("invalidImage", f"The value is {kind_of(image)}, not a string.")
    form, formats = services.codec.stored_form, services.settings.formats
    upload = _Upload(services, caller, "image", form, formats, partial(refuse, "invalidImage"))
    return upload.work(image, echoed(task.sent))


def run_media_storage(task: MediaStorage, services: Services, caller: Caller) -> Work:
    """Upload or delete one medium."""
    item: Item = {**echoed(task.sent), "operation": task.operation}
    if task.operation == "delete":
        return _deleting(task.media, item, services, caller)
    form, formats = partial(stored_form, codec=services.codec), (*services.settings.formats, *_STORED_AS_THEY_ARE)
    upload = _Upload(services, caller, "media", form, formats, lambda why: task.invalid("media", why, "string"))
    return upload.work(task.media, item)


def stored_form(data: bytes, codec: Codec, *, unchanged: bool = False) -> Picture:
    """Return the form in which a medium is stored: pictures by the rules of imageUpload, anything else unchanged.

    With `unchanged`, pictures of any size are stored as they are, like the results of tasks. Raises PictureRefused if
    the bytes are of no known kind.
    """
    name = detect_format(data)
    if name in PICTURES or name not in _STORED_AS_THEY_ARE:
        return codec.stored_form(data, unchanged=unchanged)
    return Picture(name, 0, 0, 1, data)


class _Upload(Struct, frozen=True):
    """The upload of one file: `form` turns bytes into what is stored, if they are of one of the `formats`.

    `parameter` names the file in the task and in the answer; `invalid` returns the refusal of one that is not accepted.
    """

    services: Services
    caller: Caller
    parameter: str
    form: Callable[[bytes], Picture]
    formats: Collection[str]
    invalid: Callable[[str], Refusal]

    def work(self, value: str, item: Item) -> Work:
        """Load the file that `value` stands for; return the work that stores it and completes the item."""
        try:
            source = read_source(value)
            if self.caller.dry_run:
                # Checked as far as possible without the network.
                if isinstance(source, bytes):
                    self.form(source)
                return [{**item, "cost": 0.0}]
            store = self._loaded(source)
        except PictureRefused as error:
            raise self.invalid(str(error)) from error

        def commit(connection: Connection) -> Done:
            stored = store(connection)
            uuid = add_medium(connection, self.services, self.caller, stored.id, item["taskType"])
            url = self.caller.base_url + url_path(uuid, stored.format)
            return Done([{**item, f"{self.parameter}UUID": uuid, f"{self.parameter}URL": url}], stored.audit())

        return commit

    def _loaded(self, source: str | bytes) -> StoreContent:
        if isinstance(source, bytes):
            return self._storing(source)
        if uuid := stored_uuid(source, self.caller.base_url):
            self._refuse_gone(uuid)
            return partial(self._use_stored, uuid)
        try:
            return self._storing(self.services.fetch(source))
        except FetchFailed as error:
            raise refuse("failedToTransferImage", str(error), parameter=self.parameter) from error

    def _storing(self, data: bytes) -> StoreContent:
        services, digest = self.services, hashlib.sha256(data).digest()
        with services.database.reading() as connection:
            known = contents.find(connection, digest)
        if known is None or known.format not in self.formats or not services.blobs.has(known.object_key):
            placed = services.blobs.place(digest, self.form(data))
            return lambda connection: contents.add(connection, placed, services.now_at(self.caller.account.id))

        def reuse(connection: Connection) -> StoredContent:
            held = contents.hold(connection, digest)
            if held is None or held.format not in self.formats:
                raise ContentGone
            return held

        return reuse

    def _refuse_gone(self, uuid: str) -> None:
        services, account_id = self.services, self.caller.account.id
        if not services.blobs.are_objects:
            return
        with services.database.reading() as connection:
            file = media.read_own(connection, account_id, uuid, services.moment(account_id))
        if file is not None and not services.blobs.has(file.object_key):
            raise refuse("failedToTransferImage", FILE_GONE, parameter=self.parameter)

    def _use_stored(self, uuid: str, connection: Connection) -> StoredContent:
        account_id = self.caller.account.id
        used = media.use(connection, account_id, uuid, self.services.moment(account_id))
        if used is None:
            raise refuse("failedToTransferImage", "No medium of this UUID is stored.", parameter=self.parameter)
        if used.format not in self.formats:
            # A medium that one task stores may not suit another: a sound is not an image.
            raise self.invalid(unaccepted(used.format, self.formats))
        return used


def _deleting(value: str, item: Item, services: Services, caller: Caller) -> Work:
    uuid = named_uuid(value, caller.base_url)
    if caller.dry_run:
        return [{**item, "cost": 0.0}]

    def commit(connection: Connection) -> Done:
        content_id = media.remove(connection, caller.account.id, uuid or "", services.moment(caller.account.id))
        if content_id is None:
            raise refuse("mediaNotFound", "It was deleted before, has expired, or was never stored.", parameter="media")
        contents.delete_unused(connection, [content_id])
        return Done([{**item, "mediaUUID": uuid}])

    return commit
