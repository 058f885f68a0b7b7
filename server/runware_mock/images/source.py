"""Read the string of an image field: find out which documented form it has, and decode its bytes."""

from urllib.parse import unquote, unquote_to_bytes

import pybase64

from runware_mock.images.formats import PictureRefused
from runware_mock.values import is_file_path


def read_source(value: str) -> str | bytes:
    """Return a URL as a text, or the bytes of a "Data URI, or Base64"; raises PictureRefused for any other text."""
    text = value.strip()
    scheme = text[:8].lower()
    if scheme.startswith(("http://", "https://")):
        return text
    if scheme.startswith("data:"):
        header, comma, payload = text.partition(",")
        if not comma:
            raise PictureRefused("A data URI must have the form data:<mediaType>;base64,<data>.")
        if header.rstrip().lower().endswith(";base64"):
            return decode_base64(unquote(payload) if "%" in payload else payload)
        # RFC 2397: without ";base64", the data "is represented using ... the standard %xx hex encoding".
        return _not_empty(unquote_to_bytes(payload))
    if is_file_path(text):
        raise PictureRefused("This looks like the path of a file: send the file's content as base64 or a data URI.")
    if "://" in text[:32]:
        raise PictureRefused(f"URLs must begin with http:// or https://, not {text.partition('://')[0]!r}.")
    return decode_base64(text)


def decode_base64(text: str) -> bytes:
    """Decode base64 of either alphabet, with or without padding, with white space anywhere; raises PictureRefused."""
    try:
        return _not_empty(pybase64.b64decode(text, validate=True))
    except ValueError:
        # Only now pay for the passes that make a sloppy encoder's text strict.
        text = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return _not_empty(pybase64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except ValueError:
        raise PictureRefused("The value is not a URL, a data URI or valid base64.") from None


def _not_empty(data: bytes) -> bytes:
    if not data:
        raise PictureRefused("The value is empty.")
    return data
