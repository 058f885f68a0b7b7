"""Each account has a clock: it stands still, jumps ahead, and whatever falls due has happened when the call returns."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from runware_mock.storage.models import medium
from runware_mock.webhooks import ATTEMPTS
from tests import plain
from tests.control.calling import Calls, calling
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.stores import Store
from tests.talking import Talker, new_uuid, talking, upload

pytestmark = pytest.mark.both_databases

START = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def alone(store: Store) -> Iterator[RunningMock]:
    """A server of the test's own, for what concerns all accounts."""
    with running_mock(**store.settings, purge_every="365d") as mock:
        yield mock


def used(talker: Talker, uuid: str) -> list[str]:
    """Use an image; return the codes of what is wrong."""
    return talker.ask({"taskType": "caption", "taskUUID": new_uuid(), "inputImage": uuid}).codes


def test_a_clock_shows_the_real_time_until_somebody_moves_it(control: Calls) -> None:
    assert control.get("/clock") == {"now_at": START, "frozen": False, "offset": "0s", "account": 1} | {
        "account": control.get("/clock")["account"]
    }


def test_advancing_past_expiry_purges_before_the_call_returns(talker: Talker, control: Calls) -> None:
    item = talker.ask(upload(png())).item
    moved = control.post("/clock/advance", by="29d23h59m59s")
    assert moved["purged"]["media"] == 0
    assert plain.get(item["imageURL"]).status_code == 200
    moved = control.post("/clock/advance", by="1s")
    assert moved["purged"] == {"media": 1, "contents": 1, "uuids": [item["imageUUID"]]}
    assert moved["clock"]["now_at"] == "2026-01-31T00:00:00.000Z"
    assert plain.get(item["imageURL"]).status_code == 404
    assert used(talker, item["imageUUID"]) == ["failedToTransferImage"]


def test_a_use_on_the_moved_clock_renews_the_expiry(talker: Talker, control: Calls) -> None:
    uuid = talker.ask(upload(png())).item["imageUUID"]
    for _ in range(4):
        assert control.post("/clock/advance", by="29d")["purged"]["media"] == 0
        assert used(talker, uuid) == []
    assert control.post("/clock/advance", by="30d")["purged"]["uuids"] == [uuid]


def test_the_clock_of_one_account_leaves_the_others_alone(mock: RunningMock, talker: Talker, control: Calls) -> None:
    with talking(mock, "rest", "another-" + new_uuid()) as other:
        item = other.ask(upload(png())).item
        assert control.post("/clock/advance", by="365d")["purged"]["media"] == 0
        assert used(other, item["imageUUID"]) == []
        assert plain.get(item["imageURL"]).status_code == 200
    assert talker.ask(upload(png())).item


def test_a_frozen_clock_stands_still_and_runs_on_from_there(alone: RunningMock, api_key: str) -> None:
    with calling(alone, api_key) as control:
        assert control.post("/clock/freeze")["frozen"]
        alone.clock.advance(timedelta(days=5))
        assert control.get("/clock")["now_at"] == START
        assert control.post("/clock/advance", by="1h")["clock"]["now_at"] == "2026-01-01T01:00:00.000Z"
        assert control.post("/clock/resume")["offset"] == "-4d23h"
        alone.clock.advance(timedelta(days=1))
        assert control.get("/clock")["now_at"] == "2026-01-02T01:00:00.000Z"
        assert control.post("/clock/reset")["now_at"] == "2026-01-07T00:00:00.000Z"


def test_the_clock_of_all_moves_every_account_even_those_with_one_of_their_own(
    alone: RunningMock, api_key: str
) -> None:
    with calling(alone, api_key) as own, calling(alone, None) as everyone, talking(alone, "rest", "second") as second:
        uuid = second.ask(upload(png())).item["imageUUID"]
        own.post("/clock/advance", by="1d")
        moved = everyone.post("/clock/advance", by="30d")
        assert moved["purged"]["uuids"] == [uuid]
        assert own.get("/clock")["now_at"] == "2026-02-01T00:00:00.000Z"
        assert everyone.get("/clock")["now_at"] == "2026-01-31T00:00:00.000Z"
        everyone.post("/clock/reset")
        assert own.get("/clock")["now_at"] == START


def test_a_set_clock_jumps_to_an_instant(control: Calls) -> None:
    assert control.post("/clock/set", at="2026-06-01")["clock"]["now_at"] == "2026-06-01T00:00:00.000Z"
    assert control.post("/clock/set", at="2026-06-01T02:00:00+02:00")["clock"]["offset"] == "151d"
    assert control.post("/clock/set", at=1_780_272_000_001)["clock"]["now_at"] == "2026-06-01T00:00:00.001Z"


@pytest.mark.parametrize(
    ("path", "body", "field", "word"),
    [
        ("/clock/advance", {"by": "-1d"}, "by", "duration"),
        ("/clock/advance", {"by": "soon"}, "by", "duration"),
        ("/clock/advance", {"by": "99999999d"}, "by", "36500d"),
        ("/clock/advance", {"by": None}, "by", "duration"),
        ("/clock/advance", {}, "by", "the field by is missing"),
        ("/clock/set", {"at": "2025-12-31T23:59:59.999Z"}, "at", "backwards"),
        ("/clock/set", {"at": "never"}, "at", "instant"),
        ("/clock/set", {"at": 10**18}, "at", "9799"),
        ("/clock/set", {"at": -1}, "at", "1970"),
    ],
)
def test_an_impossible_move_is_refused_and_moves_nothing(
    control: Calls, path: str, body: dict[str, object], field: str, word: str
) -> None:
    before = control.get("/clock")
    status, error = control.refused("POST", path, json=body)
    assert (status, error["field"], error["code"]) == (400, field, "badField")
    assert word in error["message"].lower()
    assert control.get("/clock") == before


def test_a_restart_keeps_the_clocks(store: Store, api_key: str) -> None:
    with running_mock(**store.settings) as mock, calling(mock, api_key) as control:
        control.post("/clock/advance", by="10d")
    with running_mock(**store.settings) as mock, calling(mock, api_key) as control:
        assert control.get("/clock")["offset"] == "10d"


def test_two_servers_on_one_database_agree_on_the_clock(store: Store, transport: str, api_key: str) -> None:
    with (
        running_mock(**store.settings, purge_every="365d") as first,
        running_mock(**store.settings, purge_every="365d") as second,
        calling(first, api_key) as control,
        talking(second, transport, api_key) as talker,
    ):
        uuid = talker.ask(upload(png())).item["imageUUID"]
        assert used(talker, uuid) == []
        assert control.post("/clock/advance", by="31d")["purged"]["uuids"] == [uuid]
        assert used(talker, uuid) == ["failedToTransferImage"]
        late = talker.ask(upload(png())).item["imageUUID"]
        assert control.get("/forecast", **{"in": "29d"})["media"][0]["uuid"] == late
        assert second.count(medium) == 1


class Hook:
    """A webhook that refuses until it is told otherwise."""

    def __init__(self) -> None:
        self.calls = 0
        self.status = 503


@contextmanager
def webhook() -> Iterator[tuple[Hook, str]]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            hook.calls += 1
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hook, f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_advancing_makes_every_retry_of_a_webhook_that_falls_due(talker: Talker, control: Calls) -> None:
    control.post("/clock/freeze")
    with webhook() as (hook, url):
        task = {"taskType": "promptEnhance", "taskUUID": new_uuid(), "prompt": "a cat", "webhookURL": url}
        assert talker.ask(task).item
        # The first attempt is made at once; a frozen clock makes no other.
        control.post("/clock/advance", by="0s")
        assert hook.calls == 1
        # "250 ms, doubling": jitter makes no wait longer.
        for calls, wait in ((2, "250ms"), (3, "500ms"), (4, "1s")):
            control.post("/clock/advance", by=wait)
            assert hook.calls == calls
        control.post("/clock/advance", by="1d")
        assert hook.calls == ATTEMPTS


def test_results_age_on_the_accounts_clock(talker: Talker, control: Calls) -> None:
    task = upload(png())
    get_response = {"taskType": "getResponse", "taskUUID": task["taskUUID"]}
    assert talker.ask(task).item
    control.post("/clock/advance", by="23h59m")
    assert talker.ask(get_response).item["status"] == "success"
    assert talker.ask(task).codes == ["conflictTaskUUID"]
    control.post("/clock/advance", by="1m")
    assert talker.ask(get_response).codes == ["taskNotFound"]
    assert talker.ask(task).item


def test_a_result_stays_ready_when_the_clock_has_gone_back_behind_it(talker: Talker, control: Calls) -> None:
    control.post("/clock/advance", by="30d")
    task = upload(png())
    assert talker.ask(task).item
    control.post("/clock/reset")
    assert talker.ask({"taskType": "getResponse", "taskUUID": task["taskUUID"]}).item["status"] == "success"
