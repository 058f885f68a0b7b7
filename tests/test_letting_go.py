"""What a client has sent is let go of with its answer: twenty megabytes, each time, for each thread and connection."""

import gc
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator

import pytest

from runware_mock.services import Caller
from runware_mock.tasks.runner import Runner
from tests.pictures import png
from tests.process import scenes
from tests.running import running_mock
from tests.talking import upload

TASK_UUID = "8f14e45f-ceea-467f-a8d1-6b2f0c3e9a10"


@pytest.fixture
def engine() -> Iterator[Runner]:
    """Return an engine that has done nothing yet."""
    with running_mock() as mock:
        engine = Runner(mock.services)
        yield engine
        engine.close()


@pytest.fixture
def _uncollected() -> Iterator[None]:
    """Keep the interpreter from finding what holds itself, as it may for long."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_uncollected")
@pytest.mark.parametrize(
    ("image", "outcome"),
    [(png(), "success"), (png(2049, 8), "success"), (b"no picture", "error")],
    ids=["stored as sent", "downsized", "refused"],
)
def test_nobody_holds_a_task_that_is_answered(engine: Runner, image: bytes, outcome: str) -> None:
    sent = f"data:image/png;base64,{b64encode(image).decode()}"
    caller = Caller(engine.services.accounts.open("a-key"), "rest", "http://127.0.0.1")
    held_before = sys.getrefcount(sent)
    task = {"taskType": "imageUpload", "taskUUID": TASK_UUID, "image": sent}
    (pending,) = engine.submit([task], caller)
    del task
    # It finishes what was submitted.
    engine.close()
    reply = pending.result()
    assert (reply.error is None) == (outcome == "success")
    assert sys.getrefcount(sent) == held_before


def test_a_task_that_gets_no_thread_is_not_done_later_and_can_be_sent_again(engine: Runner) -> None:
    caller = Caller(engine.services.accounts.open("a-key"), "rest", "http://127.0.0.1")
    task, neighbour = upload(scenes.heavy(1)), upload(png())
    # No machine has that much memory for a thread.
    threading.stack_size(2**46)
    try:
        failed, done = engine.submit([task, neighbour], caller)
    finally:
        threading.stack_size(0)
    error = failed.result().error
    assert error is not None
    assert error["code"] == "mockInternalError"
    assert "there is no room for another thread" in str(error["message"])
    assert done.result().error is None
    (again,) = engine.submit([task], caller)
    assert again.result().error is None
