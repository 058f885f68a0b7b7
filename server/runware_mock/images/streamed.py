"""Downsize a still picture that no memory budget holds: libvips reads it row by row. Needs `runware-mock[vips]`."""

from typing import Any

from runware_mock.images.still import QUALITY

_END_OF_IMAGE = b"\xff\xd9"
# Phones append a few bytes behind the end.
_TAIL_BYTES = 4096

# Formats that libvips streams, with what its writers take; "icc" keeps the profile and drops other metadata.
_SAVE_OPTIONS = {
    "jpeg": f".jpg[Q={QUALITY},keep=icc]",
    "png": ".png[compression=1,keep=icc]",
    "webp": f".webp[Q={QUALITY},effort=0,keep=icc]",
}


def downsize(name: str, data: bytes, size: tuple[int, int]) -> tuple[bytes, tuple[int, int]] | None:
    """Return the encoded picture and its size, turned where the orientation says so; None where it cannot be streamed.

    Raises ValueError where the picture is broken.
    """
    try:
        import pyvips
    except (ImportError, OSError):
        return None
    if name not in _SAVE_OPTIONS:
        return None
    if name == "jpeg" and _END_OF_IMAGE not in data[-_TAIL_BYTES:]:
        # libvips fills the missing rows of a JPEG with grey.
        raise ValueError("the file is truncated")
    try:
        # The longest side bounds both, before and after the picture is turned.
        image: Any = pyvips.Image.thumbnail_buffer(data, max(size), height=max(size), fail_on="truncated")
        return bytes(image.write_to_buffer(_SAVE_OPTIONS[name])), (int(image.width), int(image.height))
    except pyvips.Error as error:
        raise ValueError(str(error).strip()) from None
