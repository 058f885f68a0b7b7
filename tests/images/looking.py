"""What became of an upload: fetched back from its imageURL, opened, compared."""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image, ImageChops, ImageStat

from runware_mock.storage import contents
from tests import plain
from tests.running import RunningMock
from tests.talking import TIMEOUT_S, Talker, upload


def stored_bytes(item: dict[str, Any]) -> bytes:
    """Fetch a picture by its imageURL."""
    response = plain.get(item["imageURL"], timeout=TIMEOUT_S)
    assert response.status_code == 200
    return response.content


def opened(data: bytes) -> Image.Image:
    """Open a picture and decode its first frame."""
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


def uploaded(talker: Talker, data: bytes) -> Image.Image:
    """Upload a picture, fetch it back and open it."""
    return opened(stored_bytes(talker.ask(upload(data)).item))


@dataclass(frozen=True)
class Clip:
    """An animation taken apart: what is seen, and for how long."""

    frames: list[Image.Image]
    durations_ms: list[float]
    loop: int | None


def taken_apart(data: bytes) -> Clip:
    """Return every frame of an animation as RGBA."""
    picture = Image.open(BytesIO(data))
    frames, durations_ms = [], []
    for index in range(getattr(picture, "n_frames", 1)):
        picture.seek(index)
        picture.load()
        frames.append(picture.convert("RGBA"))
        durations_ms.append(picture.info.get("duration", 0))
    return Clip(frames, durations_ms, picture.info.get("loop"))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return how far two pictures are apart on average, 0 to 255, over colours as seen and alpha."""
    assert one.size == other.size
    seen = [image.convert("RGBA").convert("RGBa") for image in (one, other)]
    apart = ImageChops.difference(*(Image.merge("RGBA", image.split()) for image in seen))
    return max(ImageStat.Stat(apart).mean)


def mean_color(picture: Image.Image) -> list[float]:
    """Return the mean of each band."""
    return ImageStat.Stat(picture).mean


def is_stored(mock: RunningMock, data: bytes) -> bool:
    """Tell whether the database holds what was made of these bytes."""
    with mock.services.database.reading() as connection:
        return contents.find(connection, hashlib.sha256(data).digest()) is not None
