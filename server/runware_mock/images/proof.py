"""Proof that a picture that will be stored as it is was sent whole, by the cheapest means that is one."""

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from runware_mock.images.animation import count_frames

_GIF_TRAILER = 0x3B
_GIF_EXTENSION = 0x21
_GIF_IMAGE = 0x2C


def memory_bytes(image: ImageFile) -> int:
    """Return about what `count_whole_frames` needs: one decoded frame and the one before it."""
    return 8 * image.width * image.height


def count_whole_frames(name: str, image: ImageFile, data: bytes) -> int:
    """Return the number of frames; raises one of Pillow's decoding errors where something is missing."""
    frames = count_frames(image)
    if isinstance(image, JpegImageFile):
        # Every coded byte is read, but only an eighth of each side is computed.
        image.draft(image.mode, (max(1, image.width // 8), max(1, image.height // 8)))
        image.load()
    elif name == "png" and frames == 1:
        if not image.tile:
            raise SyntaxError("no image data")
        # Checks every chunk up to the last one against its checksum; decoding would cost thirty times as much.
        image.verify()
    else:
        for frame in range(frames):
            image.seek(frame)
            image.load()
        require_trailer(name, data)
    return frames


def require_trailer(name: str, data: bytes) -> None:
    """Refuse a GIF that ends between two frames: Pillow takes the end of the file for the end of the animation."""
    if name == "gif" and not _gif_reaches_trailer(data):
        raise EOFError("the file is truncated")


def _gif_reaches_trailer(data: bytes) -> bool:
    position = 13 + _color_table_bytes(data[10])
    try:
        while data[position] != _GIF_TRAILER:
            if data[position] == _GIF_EXTENSION:
                position += 2
            elif data[position] == _GIF_IMAGE:
                position += 11 + _color_table_bytes(data[position + 9])
            else:
                return False
            while data[position]:
                position += data[position] + 1
            position += 1
    except IndexError:
        return False
    return True


def _color_table_bytes(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0
