"""Pictures for the SDKs to send, in a folder that a web server serves."""

from __future__ import annotations

import random
from dataclasses import dataclass
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from PIL import Image, ImageDraw


@dataclass(frozen=True)
class Picture:
    """A PNG file of noise, which no compression makes small."""

    path: Path
    url: str
    size_px: tuple[int, int]


@dataclass(frozen=True)
class Gallery:
    """A folder that a user's own web server would serve."""

    folder: Path
    address: str

    def paint(self, name: str, size_px: tuple[int, int]) -> Picture:
        """Write one picture; the width is the seed, so each run sends the same bytes."""
        width_px, height_px = size_px
        noise = random.Random(width_px).randbytes(width_px * height_px * 4)
        path = self.folder / name
        Image.frombytes("RGBA", size_px, noise).save(path, compress_level=0)
        return Picture(path, f"{self.address}/{name}", size_px)

    def draw_ball(self, name: str, size_px: tuple[int, int]) -> Picture:
        """Draw a red ball on white: something to detect, to cut out and to name."""
        width_px, height_px = size_px
        image = Image.new("RGB", size_px, "white")
        middle, radius_px = (width_px / 2, height_px / 2), height_px / 4
        ImageDraw.Draw(image).circle(middle, radius_px, fill="red")
        path = self.folder / name
        image.save(path)
        return Picture(path, f"{self.address}/{name}", size_px)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files, and take webhooks, without a line on stderr for each."""

    def do_POST(self) -> None:
        """Take what a webhook is told."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""
