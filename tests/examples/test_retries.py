"""Does the application try again? A plan says what goes wrong; the test fails unless all of it was met."""

import httpx
import pytest

from runware_mock import RunwareMock
from tests.examples.application import Application, Refused


def test_two_bad_gateways_are_survived(runware_mock: RunwareMock, application: Application, picture: bytes) -> None:
    runware_mock.faults.plan({"kind": "http", "status": 502, "body": "<html>Bad Gateway</html>", "times": 2})

    application.upload(picture)

    runware_mock.assert_uploaded(picture, times=1)


def test_an_answer_that_is_lost_does_not_upload_twice(
    runware_mock: RunwareMock, application: Application, picture: bytes
) -> None:
    runware_mock.faults.plan({"kind": "reset", "after_work": True, "task_type": "imageUpload"})

    uuid = application.upload(picture)

    runware_mock.assert_uploaded(picture, times=1)
    assert [medium.uuid for medium in runware_mock.media.list()] == [uuid]


def test_three_resets_are_too_many(runware_mock: RunwareMock, application: Application, picture: bytes) -> None:
    runware_mock.faults.plan({"kind": "reset", "times": 3})

    with pytest.raises(httpx.TransportError):
        application.upload(picture)

    runware_mock.assert_not_uploaded()


def test_what_is_refused_is_not_tried_again(
    runware_mock: RunwareMock, application: Application, picture: bytes
) -> None:
    runware_mock.faults.plan({"kind": "error", "code": "invalidImage"}, name="a picture nobody can read")

    with pytest.raises(Refused, match="invalidImage"):
        application.upload(picture)

    (task,) = runware_mock.tasks
    assert [fault.plan for fault in task.faults] == ["a picture nobody can read"]


def test_a_picture_that_vanishes_is_noticed(
    runware_mock: RunwareMock, application: Application, picture: bytes
) -> None:
    runware_mock.faults.plan({"kind": "vanish", "after": "1h"})
    uuid = application.upload(picture)

    runware_mock.clock.advance(hours=1)

    with pytest.raises(Refused, match="failedToTransferImage"):
        application.describe(uuid)
