"""Faults of media: gone too soon, there too late, and URLs that cannot be fetched."""

import pytest

from tests import plain
from tests.control.calling import Calls
from tests.faults.planning import is_met, plan
from tests.pictures import png
from tests.talking import Talker, new_uuid, upload


def use(talker: Talker, uuid: str) -> list[str]:
    """Use an image; return the codes of what is wrong."""
    return talker.ask({"taskType": "caption", "taskUUID": new_uuid(), "inputImage": uuid}).codes


def test_an_upload_vanishes_at_once(talker: Talker, control: Calls) -> None:
    name = plan(control, {"kind": "vanish"})
    item = talker.ask(upload(png())).item
    assert use(talker, item["imageUUID"]) == ["failedToTransferImage"]
    assert plain.get(item["imageURL"]).status_code == 404
    assert is_met(control, name)
    assert use(talker, talker.ask(upload(png())).item["imageUUID"]) == []


def test_an_upload_vanishes_after_a_time_on_the_accounts_clock(talker: Talker, control: Calls) -> None:
    plan(control, {"kind": "vanish", "after": "1h"})
    uuid = talker.ask(upload(png())).item["imageUUID"]
    control.post("/clock/advance", by="59m59s")
    assert use(talker, uuid) == []
    assert control.post("/clock/advance", by="1s")["purged"]["uuids"] == [uuid]
    assert use(talker, uuid) == ["failedToTransferImage"]


def test_an_upload_is_there_only_after_a_time(talker: Talker, control: Calls) -> None:
    plan(control, {"kind": "late", "by": "2s"})
    item = talker.ask(upload(png())).item
    assert use(talker, item["imageUUID"]) == ["failedToTransferImage"]
    assert plain.get(item["imageURL"]).status_code == 404
    control.post("/clock/advance", by="2s")
    assert use(talker, item["imageUUID"]) == []
    assert plain.get(item["imageURL"]).status_code == 200


def test_a_task_that_fetches_nothing_does_not_use_a_source_fault_up(talker: Talker, control: Calls) -> None:
    name = plan(control, {"kind": "source"})
    assert talker.ask(upload(png())).item
    assert not is_met(control, name)
    assert talker.ask(upload("http://127.0.0.1:9/never-asked.png")).codes == ["failedToTransferImage"]
    assert is_met(control, name)


@pytest.mark.parametrize(
    ("fault", "code", "word"),
    [
        ({}, "failedToTransferImage", "refused"),
        ({"reason": "timeout"}, "failedToTransferImage", "too long"),
        ({"reason": "status", "status": 403}, "failedToTransferImage", "403"),
        ({"reason": "no_picture"}, "invalidImage", "HTML"),
    ],
)
def test_a_source_url_fails_though_it_is_never_asked(
    talker: Talker, control: Calls, fault: dict[str, object], code: str, word: str
) -> None:
    name = plan(control, {"kind": "source", **fault})
    error = talker.ask(upload("http://127.0.0.1:9/never-asked.png")).error
    assert error["code"] == code
    assert word in error["message"]
    assert is_met(control, name)
