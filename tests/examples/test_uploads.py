"""Did the application upload what it should?"""

import threading
from uuid import uuid4

import pytest

from runware_mock import RunwareMock
from tests.examples.application import Application, Refused
from tests.pictures import png


def test_the_picture_is_uploaded_once(runware_mock: RunwareMock, application: Application, picture: bytes) -> None:
    application.upload(picture)

    (upload,) = runware_mock.assert_uploaded(picture, times=1)
    assert upload.audit is not None
    assert (upload.audit.format, upload.audit.rule) == ("png", "Within 2048 px: stored byte for byte.")


def test_a_large_picture_is_stored_smaller(runware_mock: RunwareMock, application: Application) -> None:
    uuid = application.upload(png(4096, 1024))

    stored = runware_mock.media.get(uuid)
    assert stored.downsized
    assert (stored.width_px, stored.height_px) == (2048, 512)


def test_an_upload_in_the_background_is_waited_for(
    runware_mock: RunwareMock, application: Application, picture: bytes
) -> None:
    background = threading.Thread(target=application.upload, args=[picture])
    background.start()

    runware_mock.wait_for_uploads(1, timeout_s=60)

    background.join()


def test_the_journal_tells_why_a_task_was_refused(runware_mock: RunwareMock, application: Application) -> None:
    with pytest.raises(Refused, match="failedToTransferImage"):
        application.describe(str(uuid4()))

    (refused,) = runware_mock.journal.wait(1, outcome="error")
    assert refused.task_type == "caption"
    assert refused.explanation is not None
    runware_mock.assert_not_uploaded()
