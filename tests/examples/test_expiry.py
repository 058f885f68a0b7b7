"""What happens to the application's pictures after weeks? The clock of the test's account moves, and no other."""

from datetime import timedelta

import pytest

from runware_mock import RunwareMock
from tests.examples.application import Application, Refused


def test_a_picture_is_there_a_second_before_30_days_and_gone_a_second_after(
    runware_mock: RunwareMock, application: Application, picture: bytes
) -> None:
    runware_mock.clock.freeze()
    uuid = application.upload(picture)

    runware_mock.clock.advance(days=30, seconds=-1)
    assert runware_mock.is_stored(uuid)
    assert runware_mock.time_left(uuid) == timedelta(seconds=1)

    moved = runware_mock.clock.advance(seconds=2)
    assert moved.purged.uuids == (uuid,)
    assert not runware_mock.is_stored(uuid)
    with pytest.raises(Refused, match="failedToTransferImage"):
        application.describe(uuid)


def test_use_keeps_a_picture_for_100_days(runware_mock: RunwareMock, application: Application, picture: bytes) -> None:
    uuid = application.upload(picture)

    for _ in range(4):
        runware_mock.clock.advance(days=25)
        assert application.describe(uuid)

    runware_mock.clock.advance(days=31)
    assert not runware_mock.is_stored(uuid)


def test_a_forecast_tells_what_will_be_purged(runware_mock: RunwareMock, picture: bytes) -> None:
    old = runware_mock.media.add(picture, age="29d")
    runware_mock.media.add(picture)

    forecast = runware_mock.media.forecast(within="2d")

    assert forecast.would_purge.media == 1
    assert [medium.uuid for medium in forecast.media if medium.would_be_purged] == [old.uuid]
    assert runware_mock.is_stored(old.uuid)
