"""Clients of a server of which only the address is known."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from websockets.sync.client import connect

from tests import plain
from tests.talking import TIMEOUT_S, RestTalker, WsTalker

API_KEY = "a-key-of-the-process-tests"


@contextmanager
def rest(url: str, api_key: str = API_KEY) -> Iterator[RestTalker]:
    """Open a REST client."""
    with plain.Client(timeout=TIMEOUT_S) as client:
        yield RestTalker(client, f"{url}/v1", api_key)


@contextmanager
def ws(url: str, api_key: str = API_KEY) -> Iterator[WsTalker]:
    """Open a WebSocket client."""
    with connect(f"ws{url.removeprefix('http')}/v1", max_size=None, open_timeout=TIMEOUT_S) as socket:
        yield WsTalker(socket, api_key)


def fetched(url: str, image_url: str) -> httpx.Response:
    """GET a picture from the server at `url`, whichever server its imageURL names."""
    return plain.get(httpx.URL(url).join(httpx.URL(image_url).path), timeout=TIMEOUT_S)
