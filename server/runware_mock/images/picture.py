"""A picture in its stored form, and the reasons for having none."""

from msgspec import Struct


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


class FetchFailed(Exception):
    """A URL could not be fetched or called; the message tells the user why, `status` what was answered, if at all."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
