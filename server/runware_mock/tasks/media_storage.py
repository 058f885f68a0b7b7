"""mediaStorage: any medium, uploaded and deleted.

"`operation` is echoed; delete has **no** mediaURL"; "Any media type: image, video, audio, 3D".
"""

from collections.abc import Callable

from sqlalchemy import Connection

from runware_mock.images.codec import Codec
from runware_mock.images.formats import FORMATS, detect_format, url_path
from runware_mock.images.picture import Picture, PictureRefused
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Item
from runware_mock.services import Caller, Services
from runware_mock.settings import PICTURES
from runware_mock.storage import contents, media
from runware_mock.tasks.inputs import named_uuid
from runware_mock.tasks.models import MediaStorage
from runware_mock.tasks.results import echoed
from runware_mock.tasks.sources import check_source, store_source
from runware_mock.tasks.work import Done, Work

_STORED_AS_THEY_ARE = tuple(name for name, kept in FORMATS.items() if kept.kind != "image")


def run(task: MediaStorage, services: Services, caller: Caller) -> Work:
    """Upload or delete one medium."""
    item: Item = {**echoed(task.sent), "operation": task.operation}
    if task.operation == "delete":
        return _deleting(str(task.media), item, services, caller)
    try:
        return _uploading(task.media, item, services, caller, lambda why: task.invalid("media", why, "string"))
    except PictureRefused as error:
        raise task.invalid("media", str(error), "string") from error


def _uploading(value: str, item: Item, services: Services, caller: Caller, invalid: Callable[[str], Refusal]) -> Work:
    def form(data: bytes) -> Picture:
        return stored_form(data, services.codec)

    if caller.dry_run:
        check_source(value, form)
        return [{**item, "cost": 0.0}]
    formats = (*services.settings.formats, *_STORED_AS_THEY_ARE)
    store = store_source(value, "media", services, caller, form, formats, invalid)

    def commit(connection: Connection) -> Done:
        stored = store(connection)
        uuid = services.new_uuid(connection, caller.account.id)
        now_at = services.now_at(caller.account.id)
        media.add(connection, caller.account.id, stored.id, uuid, now_at, task_type=item["taskType"])
        url = caller.base_url + url_path(uuid, stored.format)
        return Done([{**item, "mediaUUID": uuid, "mediaURL": url}], stored.audit())

    return commit


def stored_form(data: bytes, codec: Codec, *, unchanged: bool = False) -> Picture:
    """Return the form in which a medium is stored: pictures by the rules of imageUpload, anything else unchanged.

    With `unchanged`, pictures of any size are stored as they are, like the results of tasks. Raises PictureRefused if
    the bytes are of no known kind.
    """
    name = detect_format(data)
    if name in PICTURES or name not in _STORED_AS_THEY_ARE:
        return codec.stored_form(data, unchanged=unchanged)
    return Picture(name, 0, 0, 1, data)


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
