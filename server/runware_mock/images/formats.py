"""The known formats, detected from the bytes alone, and pictures in their stored form."""

from collections.abc import Collection, Mapping
from typing import Literal

from msgspec import Struct

Kind = Literal["image", "video", "audio", "3d"]


class Format(Struct, frozen=True):
    """A format that can be stored: its kind, the extension in its URL, and the media type with which it is served."""

    kind: Kind
    extension: str
    content_type: str


FORMATS: Mapping[str, Format] = {
    "jpeg": Format("image", "jpg", "image/jpeg"),
    "png": Format("image", "png", "image/png"),
    "webp": Format("image", "webp", "image/webp"),
    "bmp": Format("image", "bmp", "image/bmp"),
    "gif": Format("image", "gif", "image/gif"),
    # Only a result, never an upload.
    "svg": Format("image", "svg", "image/svg+xml"),
    # mediaStorage: "Any media type: image, video, audio, 3D".
    "mp4": Format("video", "mp4", "video/mp4"),
    "mov": Format("video", "mov", "video/quicktime"),
    "webm": Format("video", "webm", "video/webm"),
    "mkv": Format("video", "mkv", "video/matroska"),
    "avi": Format("video", "avi", "video/x-msvideo"),
    "mp3": Format("audio", "mp3", "audio/mpeg"),
    "m4a": Format("audio", "m4a", "audio/mp4"),
    "wav": Format("audio", "wav", "audio/wav"),
    "ogg": Format("audio", "ogg", "audio/ogg"),
    "flac": Format("audio", "flac", "audio/flac"),
    "aac": Format("audio", "aac", "audio/aac"),
    "glb": Format("3d", "glb", "model/gltf-binary"),
    "ply": Format("3d", "ply", "model/ply"),
    "stl": Format("3d", "stl", "model/stl"),
    "fbx": Format("3d", "fbx", "application/octet-stream"),
    "usdz": Format("3d", "usdz", "model/vnd.usdz+zip"),
}
# `/image/ii/<uuid>.<ext>` and `/video/ws/5/vi/<uuid>.mp4` have been seen; the others are modelled on them.
_FOLDERS: Mapping[Kind, str] = {"image": "ii", "video": "vi", "audio": "ai", "3d": "ti"}

# Offset, possible bytes, and name. The first match wins; a name that FORMATS lacks is refused.
_SIGNATURES: tuple[tuple[int, tuple[bytes, ...], str], ...] = (
    (0, (b"\xff\xd8\xff",), "jpeg"),
    (0, (b"\x89PNG\r\n\x1a\n",), "png"),
    (0, (b"GIF87a", b"GIF89a"), "gif"),
    (0, (b"BM",), "bmp"),
    (0, (b"II*\0", b"MM\0*", b"II+\0"), "TIFF"),
    (4, (b"ftypavif", b"ftypavis"), "AVIF"),
    (4, (b"ftypheic", b"ftypheix"), "HEIC"),
    (4, (b"ftypmif1",), "HEIF"),
    (4, (b"ftypM4A",), "m4a"),
    (4, (b"ftypqt",), "mov"),
    (4, (b"ftyp",), "mp4"),
    (0, (b"\0\0\1\0",), "ICO"),
    (0, (b"%PDF",), "PDF"),
    (0, (b"8BPS",), "PSD"),
    (0, (b"\xff\x0a", b"\0\0\0\x0cJXL "), "JPEG XL"),
    (0, (b"\0\0\0\x0cjP  ",), "JPEG 2000"),
    (0, (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"), "mp3"),
    (0, (b"\xff\xf1", b"\xff\xf9"), "aac"),
    (0, (b"OggS",), "ogg"),
    (0, (b"fLaC",), "flac"),
    (0, (b"glTF",), "glb"),
    (0, (b"ply\n", b"ply\r"), "ply"),
    (0, (b"Kaydara FBX Binary",), "fbx"),
    (0, (b"\x1f\x8b",), "gzip"),
)
_RIFF = {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi"}
_HEAD_BYTES = 1024
_STL_HEADER_BYTES, _STL_TRIANGLE_BYTES = 84, 50


class Sent(Struct, frozen=True):
    """What was sent, if it is not stored unchanged; `orientation` is EXIF's, 1 to 8."""

    size_bytes: int
    width_px: int
    height_px: int
    orientation: int


class Picture(Struct, frozen=True):
    """Encoded bytes and what is known of them; `format` is a key of FORMATS."""

    format: str
    width_px: int
    height_px: int
    frames: int
    data: bytes
    sent: Sent | None = None


class PictureRefused(Exception):
    """The bytes are not a picture that can be stored; the message tells the user why."""


def url_path(uuid: str, format_name: str, extension: str | None = None) -> str:
    """Return the path at which a medium is served."""
    stored = FORMATS[format_name]
    return f"/{stored.kind}/{_FOLDERS[stored.kind]}/{uuid}.{extension or stored.extension}"


def detect_format(data: bytes) -> str | None:
    """Return the key of FORMATS, or the name of another well-known format, or None."""
    for offset, signatures, name in _SIGNATURES:
        if data.startswith(signatures, offset):
            return name
    if data.startswith(b"RIFF"):
        return _RIFF.get(data[8:12])
    head = data[:_HEAD_BYTES]
    if head.startswith(b"PK\3\4"):
        return "usdz" if b".usd" in head[:128] else "ZIP"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "webm" if b"webm" in head[:64] else "mkv"
    # A binary STL has no mark, but its number of triangles fits its length.
    triangles = int.from_bytes(data[80:_STL_HEADER_BYTES], "little")
    is_stl = len(data) > _STL_HEADER_BYTES and len(data) == _STL_HEADER_BYTES + _STL_TRIANGLE_BYTES * triangles
    return _detect_text(head) or ("stl" if is_stl else None)


def unaccepted(name: str | None, accepted: Collection[str]) -> str:
    """Return the message that a format, or None, is not accepted, and which ones are."""
    supported = f"Supported formats are: {', '.join(key.upper() for key in accepted)}."
    if name is None:
        return f"The file is not a picture in a known format. {supported}"
    found = FORMATS.get(name)
    kind = f" ({found.kind})" if found is not None and found.kind != "image" else ""
    return f"The format is {name.upper() if found else name}{kind}. {supported}"


def _detect_text(head: bytes) -> str | None:
    head = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<svg") or (head.startswith((b"<?xml", b"<!--")) and b"<svg" in head):
        return "SVG"
    if head.startswith((b"<!doctype html", b"<html")):
        return "HTML"
    return "stl" if head.startswith(b"solid") and b"facet" in head else None
