"""State that stands before a test, and state that is put back within one."""

from runware_mock import RunwareMock
from tests.examples.application import Application

LOGO = "7c0f2f0e-6f0a-4a53-9d5c-3f1de5b0a001"


def test_a_picture_is_there_from_the_start(runware_mock: RunwareMock, application: Application, picture: bytes) -> None:
    runware_mock.media.add(picture, uuid=LOGO, age="29d")

    assert application.describe(LOGO)
    runware_mock.assert_not_uploaded()


def test_a_snapshot_brings_back_what_was_there(
    runware_mock: RunwareMock, application: Application, picture: bytes
) -> None:
    kept = application.upload(picture)
    runware_mock.snapshots.save("one picture")

    runware_mock.media.delete(kept)
    later = application.upload(picture)
    runware_mock.snapshots.restore("one picture")

    assert runware_mock.is_stored(kept)
    assert not runware_mock.is_stored(later)
