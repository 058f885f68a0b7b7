"""The pictures that scripted answers give: read and checked when a plan is made, so that they never go missing."""

import hashlib

import pybase64
from PIL import Image, ImageColor
from sqlalchemy import select

from runware_mock.control.calls import ControlRefused
from runware_mock.faults.plans import Plan
from runware_mock.faults.scripted import AnswerFault
from runware_mock.images.formats import PictureRefused
from runware_mock.images.source import UrlSource, read_source
from runware_mock.images.standins.conversion import encode
from runware_mock.protocol.messages import head_of, is_uuid
from runware_mock.services import Services
from runware_mock.storage.blobs import ObjectGone
from runware_mock.storage.contents import FILE, StoredFile
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.models import content, medium
from runware_mock.tasks.uploads import stored_form


def read_pictures(services: Services, account_id: int, plan: Plan, field: str) -> tuple[Plan, dict[int, str]]:
    """Return a plan without the data of its pictures, and these in base64, by position.

    `field` is how the caller names a step: `faults[{}]`. Raises ControlRefused for what is no picture.
    """
    faults, pictures = list(plan.faults), dict[int, str]()
    for position, one in enumerate(faults):
        if isinstance(one, AnswerFault) and one.picture is not None:
            name, data = _read(services, account_id, one.picture, f"{field.format(position)}.picture")
            faults[position] = one.model_copy(update={"picture": name})
            pictures[position] = pybase64.b64encode(data).decode()
    return plan.model_copy(update={"faults": faults}) if pictures else plan, pictures


def _read(services: Services, account_id: int, picture: str, field: str) -> tuple[str, bytes]:
    """Return how a picture is shown in a plan, and its bytes."""
    if is_uuid(picture):
        return picture, _stored(services, account_id, picture, field)
    try:
        colour = ImageColor.getcolor(picture, "RGBA")
    except ValueError:
        pass
    else:
        return picture, encode(Image.new("RGBA", (1, 1), colour), "png", 0)
    try:
        data = read_source(picture)
        if isinstance(data, UrlSource):
            raise ControlRefused("a rule cannot give a URL: send the picture itself", field)
        return f"sha256:{hashlib.sha256(data).hexdigest()}", stored_form(data, services.codec).data
    except PictureRefused as error:
        wanted = "it is neither a colour nor the UUID of a medium, nor a usable picture"
        raise ControlRefused(f"{head_of(picture)}: {wanted}: {error}", field) from None


def _stored(services: Services, account_id: int, uuid: str, field: str) -> bytes:
    found = select(*FILE).join_from(medium, content).where(medium.c.uuid == uuid.lower())
    own = found if account_id == ALL_ACCOUNTS else found.where(medium.c.account_id == account_id)
    with services.database.reading() as connection:
        row = connection.execute(own).first()
    try:
        if row is not None:
            return services.blobs.read(StoredFile(*row))
    except ObjectGone:
        pass
    raise ControlRefused(f"no medium {uuid} is stored", field)
