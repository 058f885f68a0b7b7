"""Pictures for the SDKs to send, on disk and on a web server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.sdks.gallery import Gallery, Picture, QuietHandler
from tests.sdks.looks import BALL_SIZE_PX

# Each size is another, so an answer given to the wrong call is seen.
SIZES_PX = tuple((96 + 2 * number, 64) for number in range(20))
# Noise with four channels, stored: 14 MB of file within 2048 px a side, so it comes back as it is.
BIG_SIZE_PX = (2048, 1720)
BIG_AT_LEAST_BYTES = 14_000_000


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    """Serve an empty folder for the pictures."""
    folder = tmp_path_factory.mktemp("gallery")
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Gallery(folder, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@pytest.fixture(scope="session")
def pictures(gallery: Gallery) -> tuple[Picture, ...]:
    """Twenty pictures of different sizes."""
    return tuple(gallery.paint(f"{size_px[0]}.png", size_px) for size_px in SIZES_PX)


@pytest.fixture(scope="session")
def picture(pictures: tuple[Picture, ...]) -> Picture:
    """Any one of them."""
    return pictures[0]


@pytest.fixture(scope="session")
def ball(gallery: Gallery) -> Picture:
    """A picture in which there is something to see."""
    return gallery.draw_ball("ball.png", BALL_SIZE_PX)


@pytest.fixture(scope="session")
def big_picture(gallery: Gallery) -> Picture:
    """One picture of 14 MB."""
    picture = gallery.paint("big.png", BIG_SIZE_PX)
    assert picture.path.stat().st_size >= BIG_AT_LEAST_BYTES
    return picture


@pytest.fixture(scope="session")
def garbage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bytes that are no picture, under a picture's name."""
    path = tmp_path_factory.mktemp("garbage") / "garbage.png"
    path.write_bytes(b"these bytes are no picture at all " * 100)
    return path
