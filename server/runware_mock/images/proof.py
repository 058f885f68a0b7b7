"""Proof that a picture that will be stored as it is was sent whole, by the cheapest means that is one."""

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from runware_mock.images.animation import count_frames


def memory_bytes(image: ImageFile) -> int:
    """Return about what `count_whole_frames` needs: one decoded frame and the one before it."""
    return (16 if image.format == "WEBP" else 8) * image.width * image.height


def count_whole_frames(image: ImageFile) -> int:
    """Return the number of frames; raises one of Pillow's decoding errors where something is missing."""
    frames = count_frames(image)
    if isinstance(image, JpegImageFile):
        # Every coded byte is read, but only an eighth of each side is computed.
        image.draft(image.mode, (max(1, image.width // 8), max(1, image.height // 8)))
        image.load()
    elif image.format == "PNG" and frames == 1:
        # Every chunk was checked when it was opened; decoding would cost thirty times as much.
        if not image.tile:
            raise SyntaxError("no image data")
    else:
        for frame in range(frames):
            image.seek(frame)
            image.load()
    return frames
