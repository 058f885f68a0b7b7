"""The pictures that scripted answers give: read and checked when a plan is made, so that they never go missing."""

import hashlib
from contextlib import suppress

import pybase64
from PIL import Image, ImageColor

from runware_mock.control.calls import ControlRefused
from runware_mock.faults.plans import Plan
from runware_mock.faults.scripted import AnswerFault
from runware_mock.images.formats import PictureRefused
from runware_mock.images.source import read_source
from runware_mock.images.standins.conversion import encode
from runware_mock.protocol.messages import head_of, is_uuid
from runware_mock.services import Services
from runware_mock.storage import media
from runware_mock.storage.blobs import ObjectGone
from runware_mock.storage.database import ALL_ACCOUNTS
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
        if isinstance(data, str):
            raise ControlRefused("a rule cannot give a URL: send the picture itself", field)
        return f"sha256:{hashlib.sha256(data).hexdigest()}", stored_form(data, services.codec).data
    except PictureRefused as error:
        wanted = "a colour, the UUID of a medium or a usable picture"
        raise ControlRefused(f"{head_of(picture)} is not {wanted}: {error}", field) from None


def _stored(services: Services, account_id: int, uuid: str, field: str) -> bytes:
    with services.database.reading() as connection:
        if account_id == ALL_ACCOUNTS:
            file = media.read_any(connection, uuid.lower())
        else:
            file = media.read_own(connection, account_id, uuid.lower(), services.moment(account_id))
    with suppress(ObjectGone):
        if file is not None:
            return services.blobs.read(file)
    raise ControlRefused(f"no medium {uuid} is stored", field)
