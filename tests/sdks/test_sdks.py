"""The official SDKs, unchanged and merely pointed at the mock, upload as they do to the service.

py-0.5 is PyPI `runware`, runware-sdk its successor, sdk-js npm `@runware/sdk-js`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from tests.running import RunningMock, running_mock
from tests.sdks.answers import assert_refused, assert_stored, assert_worked
from tests.sdks.catalogue import (
    EACH_WAY,
    MAY_CONNECT_LATE,
    OVER_WEBSOCKET,
    PROCESS_LIMIT_S,
    PY_LEGACY,
    SDK_JS,
    SDKS,
    Sdk,
)
from tests.sdks.gallery import Picture

pytestmark = pytest.mark.timeout(PROCESS_LIMIT_S + 20)

BAD_KEY_LIMIT_S = 3
# Longer than a busy machine needs, shorter than an SDK waits in vain: 60 s or for ever.
HANG_LIMIT_S = 20
ONLY_GOOD_KEY = "only-this-key-is-accepted-0123456789"
BAD_KEY = "this-key-is-accepted-nowhere-0123456789"


@pytest.fixture(scope="module")
def strict_mock() -> Iterator[RunningMock]:
    """Start a mock that accepts one key only."""
    with running_mock(api_key=(ONLY_GOOD_KEY,)) as mock:
        yield mock


@pytest.mark.parametrize("sdk", OVER_WEBSOCKET, ids=str)
def test_connecting_opens_a_session(sdk: Sdk, mock: RunningMock, api_key: str) -> None:
    """Every SDK looks for a connectionSessionUUID in the answer to its first frame.

    py-0.5 reads it from data[0] and pings before it has come; sdk-js waits 60 s if that item has
    a taskUUID.
    """
    outcome = sdk.run("connect", sdk.url(mock), api_key)
    assert_worked(outcome)
    assert UUID(outcome["session"])
    assert outcome["seconds"] < HANG_LIMIT_S


@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_a_bad_key_fails_within_three_seconds(sdk: Sdk, strict_mock: RunningMock, picture: Picture) -> None:
    """py-0.5 hangs for ever on a refusal without `taskType: authentication`, or with a close after it.

    sdk-js waits 60 s unless the code is exactly `invalidApiKey`.
    """
    # A busy machine holds up one try; an SDK that waits in vain holds up each.
    for _ in range(3):
        outcome = sdk.run("upload", sdk.url(strict_mock), BAD_KEY, picture.path, limit_s=10)
        if outcome["seconds"] < BAD_KEY_LIMIT_S:
            break
    assert not outcome["ok"]
    words = outcome["error"]["message"].lower()
    assert "key" in words or "authentication" in words
    assert outcome["seconds"] < BAD_KEY_LIMIT_S


@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_the_good_key_is_accepted_by_the_same_mock(sdk: Sdk, strict_mock: RunningMock, picture: Picture) -> None:
    """The refusal above is for the key, not for the SDK."""
    outcome = sdk.run("upload", sdk.url(strict_mock), ONLY_GOOD_KEY, picture.path)
    assert_worked(outcome)
    assert_stored(outcome["results"][0], picture)


@pytest.mark.parametrize(("sdk", "way"), EACH_WAY, ids=str)
def test_a_picture_is_uploaded_each_way_the_sdk_can(
    sdk: Sdk, way: str, mock: RunningMock, api_key: str, picture: Picture
) -> None:
    """py-0.5 raises KeyError without imageURL; runware-sdk labels bytes application/octet-stream.

    All of them except sdk-js wait for their time-out if `data` is an object and not an array.
    """
    source = picture.url if way == "url" else picture.path
    outcome = sdk.run("upload", sdk.url(mock), api_key, source, way=way)
    assert_worked(outcome)
    assert_stored(outcome["results"][0], picture)


def test_the_commonjs_build_of_sdk_js_uploads_too(mock: RunningMock, api_key: str, picture: Picture) -> None:
    """The package has two builds, one for `import` and one for `require`."""
    outcome = SDK_JS.run("upload", SDK_JS.url(mock), api_key, picture.path, module="commonjs")
    assert_worked(outcome)
    assert_stored(outcome["results"][0], picture)


@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_twenty_uploads_at_once_each_get_their_own_answer(
    sdk: Sdk, mock: RunningMock, api_key: str, pictures: tuple[Picture, ...]
) -> None:
    """The WebSocket SDKs find their answer by taskUUID alone, in whatever order the answers come."""
    outcome = sdk.run("upload", sdk.url(mock), api_key, *(picture.path for picture in pictures))
    assert_worked(outcome)
    assert len({upload["imageUUID"] for upload in outcome["results"]}) == len(pictures)
    for upload, picture in zip(outcome["results"], pictures, strict=True):
        assert_stored(upload, picture)


@pytest.mark.parametrize("sdk", MAY_CONNECT_LATE, ids=str)
def test_twenty_uploads_may_be_what_opens_the_connection(
    sdk: Sdk, mock: RunningMock, api_key: str, pictures: tuple[Picture, ...]
) -> None:
    """runware-sdk connects once, under a lock; sdk-js connects by itself and lets every call wait for it."""
    paths = (picture.path for picture in pictures)
    outcome = sdk.run("upload", sdk.url(mock), api_key, *paths, connect_first=False)
    assert_worked(outcome)
    for upload, picture in zip(outcome["results"], pictures, strict=True):
        assert_stored(upload, picture)


@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_a_picture_of_14_mb_is_one_message(sdk: Sdk, mock: RunningMock, api_key: str, big_picture: Picture) -> None:
    """14 MB of picture is 19 MB of message, above the 16 MiB at which uvicorn closes with 1009 by default.

    py-0.5 sends the message up to ten times after such a close.
    """
    outcome = sdk.run("upload", sdk.url(mock), api_key, big_picture.path)
    assert_worked(outcome)
    assert_stored(outcome["results"][0], big_picture)


@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_garbage_fails_with_a_clear_error_and_the_client_goes_on(
    sdk: Sdk, mock: RunningMock, api_key: str, garbage: Path, picture: Picture
) -> None:
    """Without the taskUUID in the error py-0.5 and sdk-js hang for 60 s.

    Over REST an answer of errors only must not be 200, and 5xx would be tried again three times.
    """
    outcome = sdk.run("two_uploads", sdk.url(mock), api_key, garbage, picture.path)
    assert_worked(outcome)
    refusal = assert_refused(outcome)
    assert (refusal["code"], refusal["parameter"]) == (sdk.garbage_code, "image")
    assert "image" in refusal["message"]
    assert outcome["seconds"] < HANG_LIMIT_S
    assert_stored(outcome["second"], picture)


def test_py_legacy_sees_garbage_in_its_own_error_type(mock: RunningMock, api_key: str, garbage: Path) -> None:
    """py-0.5 takes an error with `taskType: authentication` for a refused key and connects anew."""
    outcome = PY_LEGACY.run("upload", PY_LEGACY.url(mock), api_key, garbage)
    assert outcome["error"]["type"] == "RunwareAPIError"
