"""Pictures to send: many, small, each other bytes, and what has to come back of each."""

import hashlib
import random
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

from PIL import Image

_SUFFIXES = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "BMP": "bmp", "GIF": "gif"}
_FORMATS = tuple(_SUFFIXES)
# One in so many is longer than what is kept, and comes back smaller.
_LONG_EVERY = 47
_LONG_PX, _KEPT_PX = 2100, 2048


@dataclass(frozen=True)
class Sent:
    """A picture, and how it is known again; `sha256` is None where it is scaled."""

    data: bytes
    format: str
    size_px: tuple[int, int]
    sha256: str | None

    @classmethod
    def whole(cls, data: bytes, picture_format: str, size_px: tuple[int, int]) -> Self:
        """Return a picture that is stored byte for byte."""
        return cls(data, picture_format, size_px, hashlib.sha256(data).hexdigest())

    def is_this(self, stored: bytes) -> bool:
        """Tell whether these bytes are it, whole."""
        if self.sha256 is not None:
            return hashlib.sha256(stored).hexdigest() == self.sha256
        with Image.open(BytesIO(stored)) as image:
            image.load()
            return (image.format, image.size) == (self.format, self.size_px)


def paint(number: int) -> Sent:
    """Paint the picture of this number, always the same."""
    draw = random.Random(number)
    picture_format = _FORMATS[number % len(_FORMATS)]
    is_long = number % _LONG_EVERY == _LONG_EVERY - 1
    size_px = (_LONG_PX, 21 + number) if is_long else (24 + number % 60, 24 + number % 7)
    image = Image.frombytes("RGB", size_px, draw.randbytes(size_px[0] * size_px[1] * 3))
    out = BytesIO()
    image.save(out, picture_format)
    data = out.getvalue()
    if not is_long:
        return Sent.whole(data, picture_format, size_px)
    kept_px = (_KEPT_PX, int(size_px[1] * _KEPT_PX / _LONG_PX + 0.5))
    return Sent(data, picture_format, kept_px, None)


def written(pictures: list[Sent], folder: Path) -> list[Path]:
    """Write them as files."""
    files = []
    for number, picture in enumerate(pictures):
        file = folder / f"{number}.{_SUFFIXES[picture.format]}"
        file.write_bytes(picture.data)
        files.append(file)
    return files
