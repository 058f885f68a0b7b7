"""Small pictures for tests that are not about pictures."""

import secrets
from io import BytesIO

from PIL import Image
from PIL.PngImagePlugin import PngInfo


def png(width_px: int = 16, height_px: int = 12, color: str = "teal") -> bytes:
    """Return a PNG that nobody has sent before."""
    info = PngInfo()
    info.add_text("unique", secrets.token_hex(8))
    out = BytesIO()
    Image.new("RGB", (width_px, height_px), color).save(out, "PNG", pnginfo=info)
    return out.getvalue()
