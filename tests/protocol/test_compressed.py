"""Nothing that is sent is inflated: neither a body that says it is compressed, nor a frame."""

import gzip
import json
import zlib
from contextlib import closing

import pytest
from websockets.sync.client import connect

from tests import plain
from tests.images.test_bombs import gibibyte_of_zeros, peak_memory_bytes
from tests.pictures import png
from tests.protocol.wires import Wire
from tests.running import RunningMock
from tests.talking import upload

KEY = "a-key-for-tests-0123456789abcdef"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x-gzip"])
def test_a_compressed_body_is_no_json_whatever_it_says(mock: RunningMock, coding: str) -> None:
    body = gzip.compress(json.dumps([upload(png())]).encode())
    headers = {"Authorization": f"Bearer {KEY}", "Content-Encoding": coding}
    answer = plain.post(mock.rest_url, content=body, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalidJson")


def test_a_body_that_would_inflate_hugely_takes_no_more_than_it_is(mock: RunningMock) -> None:
    bomb = gibibyte_of_zeros()
    before_bytes = peak_memory_bytes()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Encoding": "deflate"}
    assert plain.post(mock.rest_url, content=bomb, headers=headers).status_code == 400
    assert peak_memory_bytes() - before_bytes < 2**28


def test_a_socket_is_never_compressed_though_the_client_offers_it(mock: RunningMock) -> None:
    with connect(mock.ws_url, compression="deflate") as client:
        assert client.request is not None
        assert "permessage-deflate" in client.request.headers["Sec-WebSocket-Extensions"]
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers


def test_a_frame_that_is_compressed_nevertheless_closes_its_socket(mock: RunningMock) -> None:
    squeeze = zlib.compressobj(wbits=-15)
    payload = squeeze.compress(json.dumps([upload(png())]).encode()) + squeeze.flush()
    frame = Wire.frame(payload)
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        # RFC 7692: the first reserved bit marks a compressed message.
        client.send(bytes((frame[0] | 0x40,)) + frame[1:])
        assert client.close_code() == 1002
