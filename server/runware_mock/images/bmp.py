"""BMP: refused where a few bytes would keep Pillow busy for minutes."""

from io import BytesIO

from PIL.BmpImagePlugin import BmpImageFile

# Pillow expands run-length coded rows byte by byte in Python; these take some seconds, and few programs write any.
_RUN_LENGTH_CODED_LIMIT_PX = 2**26


def open_bmp(file: BytesIO) -> BmpImageFile:
    """Open a BMP that can be decoded in time."""
    image = BmpImageFile(file)
    if image.width * image.height > _RUN_LENGTH_CODED_LIMIT_PX and image.tile[0][0] == "bmp_rle":
        raise SyntaxError(f"run-length coded, and more than {_RUN_LENGTH_CODED_LIMIT_PX} pixels")
    return image
