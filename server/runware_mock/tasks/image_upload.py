"""imageUpload: "Image to upload (URL, Data URI, or Base64)"."""

import hashlib
import re
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from runware_mock.images.formats import FORMATS
from runware_mock.images.picture import FetchFailed, PictureRefused
from runware_mock.images.source import UrlSource, read_source
from runware_mock.protocol.errors import refuse
from runware_mock.protocol.messages import Item, Task, kind_of
from runware_mock.services import Caller, Services
from runware_mock.storage import contents, media
from runware_mock.tasks.work import ContentGone, Load, Work

# "https://im.runware.ai/image/ii/<imageUUID>.<ext>": clients build it themselves from an imageUUID.
_RUNWARE_IMAGES = "https://im.runware.ai"
_MEDIUM_PATH = re.compile(r"/image/(?:[^?#]*/)?([0-9a-f-]{36})(?:\.\w+)?(?:[?#].*)?", re.IGNORECASE)

_LIGHT_CHARS = 16 * 1024
# To prove a shorter file whole takes no longer than to look whether it is stored already.
_LOOKED_UP_FROM_BYTES = 16 * 1024

# Writes the content, unless it is there already, and returns its id and format.
StoreContent = Callable[[Connection], tuple[int, str]]


def load(task: Task) -> Load:
    """Tell whether the picture has to be fetched, and whether it may be big."""
    image = task.get("image")
    if not isinstance(image, str):
        return Load.LIGHT
    if image[:16].lstrip().lower().startswith("http"):
        return Load.WAITING_FOR_NETWORK
    return Load.LIGHT if len(image) <= _LIGHT_CHARS else Load.DECODING


def run(task: Task, services: Services, caller: Caller) -> Work:
    """Store the picture; the item holds its imageUUID and imageURL."""
    image = task.get("image")
    if image is None:
        raise refuse("missingImage")
    if not isinstance(image, str):
        raise refuse("invalidImage", f"The value is {kind_of(image)}, not a string.")
    echoed: Item = {"taskType": task["taskType"], "taskUUID": task["taskUUID"]}
    try:
        source = read_source(image)
        if caller.dry_run:
            if isinstance(source, bytes):
                services.codec.stored_form(source)
            return [echoed]
        store = _storing(source, services, caller)
    except PictureRefused as error:
        raise refuse("invalidImage", str(error)) from error

    def commit(connection: Connection) -> list[Item]:
        content_id, format_name = store(connection)
        uuid = media.add(connection, caller.account.id, content_id, services.clock.now_at())
        return [{**echoed, "imageUUID": uuid, "imageURL": image_url(caller.base_url, uuid, format_name)}]

    return commit


def image_url(base_url: str, uuid: str, format_name: str) -> str:
    """Return the address at which a stored picture is served."""
    return f"{base_url}/image/ii/{uuid}.{FORMATS[format_name].extension}"


def _storing(source: UrlSource | bytes, services: Services, caller: Caller) -> StoreContent:
    if isinstance(source, bytes):
        return _storing_bytes(source, services)
    if uuid := _stored_uuid(source.url, caller.base_url):
        return partial(_use_stored, uuid, services, caller)
    try:
        return _storing_bytes(services.fetch(source.url), services)
    except FetchFailed as error:
        raise refuse("failedToTransferImage", str(error), parameter="image") from error


def _storing_bytes(data: bytes, services: Services) -> StoreContent:
    digest = hashlib.sha256(data).digest()
    known = None
    if len(data) > _LOOKED_UP_FROM_BYTES:
        with services.database.reading() as connection:
            known = contents.find(connection, digest)
    if known is None or known.format not in services.settings.formats:
        picture = services.codec.stored_form(data)
        return lambda connection: (
            contents.add(connection, digest, picture, services.clock.now_at()),
            picture.format,
        )

    def reuse(connection: Connection) -> tuple[int, str]:
        if not contents.is_there(connection, known.id):
            raise ContentGone
        return known.id, known.format

    return reuse


def _stored_uuid(url: str, base_url: str) -> str | None:
    """Return the UUID in a URL of a stored medium, as this server or the real service would write it."""
    for base in (base_url, _RUNWARE_IMAGES):
        if url.startswith(base + "/") and (match := _MEDIUM_PATH.fullmatch(url, len(base))):
            return match[1].lower()
    return None


def _use_stored(uuid: str, services: Services, caller: Caller, connection: Connection) -> tuple[int, str]:
    now_at, cutoff_at = services.clock.now_at(), services.expired_at()
    used = media.use(connection, caller.account.id, uuid, now_at=now_at, cutoff_at=cutoff_at)
    if used is None:
        raise refuse("failedToTransferImage", "No image of this UUID is stored.", parameter="image")
    return used.id, used.format
