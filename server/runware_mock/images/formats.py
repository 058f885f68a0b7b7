"""Which formats there are, told from the bytes alone, never from a label or an extension."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A picture format that is accepted: its extension in imageURL and its media type."""

    extension: str
    content_type: str


# The page: "Valid extensions are: jpeg, jpg, png, webp, bmp and gif."
FORMATS: Mapping[str, Format] = {
    "jpeg": Format("jpg", "image/jpeg"),
    "png": Format("png", "image/png"),
    "webp": Format("webp", "image/webp"),
    "bmp": Format("bmp", "image/bmp"),
    "gif": Format("gif", "image/gif"),
}

# Where to look, what stands there, and its name. The first that fits wins; a name that FORMATS lacks is refused.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (8, b"WEBP", "webp"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (0, b"BM", "bmp"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypheix", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypqt", "QuickTime video"),
    (4, b"ftyp", "MP4 video"),
    (0, b"\0\0\1\0", "ICO"),
    (0, b"%PDF", "PDF"),
    (0, b"8BPS", "PSD"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\x1aE\xdf\xa3", "WebM or Matroska video"),
    (0, b"PK\3\4", "ZIP"),
    (0, b"\x1f\x8b", "gzip"),
)


def detect_format(data: bytes) -> str | None:
    """Return the key of FORMATS, or the name of another well-known format, or None."""
    for offset, signature, name in _SIGNATURES:
        if data.startswith(signature, offset) and (name != "webp" or data.startswith(b"RIFF")):
            return name
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<svg") or (head.startswith((b"<?xml", b"<!--")) and b"<svg" in head):
        return "SVG"
    if head.startswith((b"<!doctype html", b"<html")):
        return "HTML"
    return None
