"""imageUpload: "Image to upload (URL, Data URI, or Base64)"."""

from functools import partial

from sqlalchemy import Connection

from runware_mock.images.formats import url_path
from runware_mock.images.picture import PictureRefused
from runware_mock.protocol.errors import refuse
from runware_mock.protocol.messages import kind_of
from runware_mock.services import Caller, Services
from runware_mock.storage import media
from runware_mock.tasks.models import ImageUpload
from runware_mock.tasks.results import checked, echoed
from runware_mock.tasks.sources import check_source, store_source
from runware_mock.tasks.validation import misspelled
from runware_mock.tasks.work import Done, Work


def run(task: ImageUpload, services: Services, caller: Caller) -> Work:
    """Store the picture; the item holds its imageUUID and imageURL."""
    image = task.image
    if image is None:
        raise refuse("missingImage", misspelled("image", task.sent))
    if not isinstance(image, str):
        raise refuse("invalidImage", f"The value is {kind_of(image)}, not a string.")
    form, formats = services.codec.stored_form, services.settings.formats
    try:
        if caller.dry_run:
            check_source(image, form)
            return checked(task, "imageUpload")
        store = store_source(image, "image", services, caller, form, formats, partial(refuse, "invalidImage"))
    except PictureRefused as error:
        raise refuse("invalidImage", str(error)) from error

    def commit(connection: Connection) -> Done:
        stored = store(connection)
        uuid = services.new_uuid(connection, caller.account.id)
        now_at = services.now_at(caller.account.id)
        media.add(connection, caller.account.id, stored.id, uuid, now_at, task_type=task.task_type)
        url = caller.base_url + url_path(uuid, stored.format)
        return Done([{**echoed(task.sent), "imageUUID": uuid, "imageURL": url}], stored.audit())

    return commit
