"""Give a task what a rule says: a picture in the size and format that the task asks for, and fields in its answer."""

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace
from PIL.ImageOps import fit
from sqlalchemy import Connection

from runware_mock.faults.scripted import Given
from runware_mock.images.codec import DECODERS, Codec, opened
from runware_mock.images.formats import detect_format
from runware_mock.images.picture import Picture
from runware_mock.images.resize import RESAMPLING
from runware_mock.images.standins.conversion import encode, plain
from runware_mock.images.standins.vector import vectorize
from runware_mock.tasks.work import Done, Work

_ENCODED: Mapping[str, Literal["jpeg", "png", "webp"]] = {"jpeg": "jpeg", "png": "png", "webp": "webp"}


def with_given(work: Work, given: Given | None) -> Work:
    """Return the work with the given text and fields in its answer."""
    if given is None:
        return work
    if isinstance(work, list):
        return given.merged(work)

    def commit(connection: Connection) -> Done:
        done = work(connection)
        return replace(done, items=given.merged(done.items))

    return commit


def shown(data: bytes, asked: Picture, codec: Codec, quality: int) -> Picture:
    """Return a given picture in the size and format of the stand-in's.

    It fills the whole size: what is too wide or too high is cut off at both ends. A medium of another kind than the
    stand-in's, such as a video for a picture, cannot be shown: the stand-in stays.
    """
    name = detect_format(data)
    if name is None or name not in DECODERS:
        return asked if name != asked.format else Picture(asked.format, 0, 0, 1, data)
    size, to_format = (asked.width_px, asked.height_px), _ENCODED.get(asked.format)
    if to_format is None and asked.format != "svg":
        return asked
    decoder = DECODERS[name](data)
    if name == asked.format and decoder.size == size and decoder.orientation == 1:
        return Picture(name, *size, decoder.frames, data)
    with codec.drawing(*size):
        image = fit(plain(opened(Picture(name, *decoder.size, 1, data))), size, RESAMPLING)
        return replace(asked, data=encode(image, to_format, quality) if to_format else vectorize(image).encode())
