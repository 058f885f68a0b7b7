"""Each official SDK survives a connection that is reset under an upload.

py-0.5 is PyPI `runware`, runware-sdk its successor, sdk-js npm `@runware/sdk-js`.
"""

from __future__ import annotations

import pytest

from tests.running import RunningMock
from tests.sdks.answers import assert_refused, assert_stored, assert_worked
from tests.sdks.catalogue import PROCESS_LIMIT_S, SDKS, Outcome, Sdk
from tests.sdks.dropping_proxy import Drop, DroppingProxy
from tests.sdks.gallery import Picture

pytestmark = pytest.mark.timeout(PROCESS_LIMIT_S + 20)

# sdk-js sends again only after this time; its own 60 s would make a slow test.
SDK_JS_REQUEST_TIMEOUT_S = 4


@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_an_upload_whose_answer_is_lost_is_survived(
    sdk: Sdk, mock: RunningMock, api_key: str, pictures: tuple[Picture, ...]
) -> None:
    """py-0.5 sends the same taskUUID again, and after a conflict asks getResponse for the result.

    runware-sdk over WebSocket resumes its session and fails what it had sent with "Connection lost";
    over REST it sends the same taskUUID again and shows the conflict: the next upload works in both.
    sdk-js sends again under a new taskUUID, so the picture is stored twice.
    """
    with DroppingProxy(mock.rest_url, Drop.ANSWER_LOST) as proxy:
        outcome = _two_uploads(sdk, proxy, mock, api_key, pictures)
        assert proxy.drops == 1
        assert proxy.connections >= 2
        assert_stored(outcome["second"], pictures[1])
        if sdk.after_a_reset == "gives it up":
            assert "Connection lost" in assert_refused(outcome)["message"]
            return
        if sdk.after_a_reset == "sends it again and takes no conflict":
            assert assert_refused(outcome)["parameter"] == "taskUUID"
            return
        first = outcome["first"]
        assert_stored(first, pictures[0])
        same_picture = first is not None and first["imageUUID"].encode() in proxy.lost_answer
        assert same_picture == (sdk.after_a_reset == "sends it again")


@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_an_upload_cut_in_the_middle_is_survived(
    sdk: Sdk, mock: RunningMock, api_key: str, pictures: tuple[Picture, ...]
) -> None:
    """The mock has not seen the task yet, so its taskUUID is as good as new when it is sent again."""
    with DroppingProxy(mock.rest_url, Drop.UPLOAD_CUT) as proxy:
        outcome = _two_uploads(sdk, proxy, mock, api_key, pictures)
        assert proxy.drops == 1
        assert proxy.connections >= 2
        assert_stored(outcome["second"], pictures[1])
        # runware-sdk sends it again too, if the reset came before its send() had returned.
        if sdk.after_a_reset != "gives it up":
            assert_stored(outcome["first"], pictures[0])


def _two_uploads(
    sdk: Sdk, proxy: DroppingProxy, mock: RunningMock, api_key: str, pictures: tuple[Picture, ...]
) -> Outcome:
    """Send one upload into the reset, and a second one on the same client."""
    outcome = sdk.run(
        "two_uploads",
        proxy.in_front_of(sdk.url(mock)),
        api_key,
        pictures[0].path,
        pictures[1].path,
        request_timeout_s=SDK_JS_REQUEST_TIMEOUT_S,
    )
    assert_worked(outcome)
    return outcome
