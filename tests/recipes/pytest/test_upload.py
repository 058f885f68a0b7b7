import base64

import httpx
import pytest
from upload import upload

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(autouse=True)
def environment(runware_mock, monkeypatch):
    for name, value in runware_mock.env().items():
        monkeypatch.setenv(name, value)


def test_a_picture_comes_back_as_it_was():
    assert httpx.get(upload(PICTURE)["imageURL"]).content == PICTURE


def test_an_upload_survives_a_bad_gateway(runware_mock):
    runware_mock.faults.plan({"kind": "http", "status": 502})
    upload(PICTURE)
    runware_mock.assert_uploaded(PICTURE, times=1)
