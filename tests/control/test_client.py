"""ControlClient: the control API as Python methods."""

import hashlib
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runware_mock.client import ControlClient, ControlError, Fault
from runware_mock.control_models import Snapshot, read_span, write_span
from tests.control.stranger import stranger_running
from tests.pictures import png
from tests.process.ports import free_port
from tests.running import RunningMock, running_mock
from tests.talking import Talker, upload

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def client(mock: RunningMock, api_key: str) -> Iterator[ControlClient]:
    """The client of the test's account."""
    with ControlClient(mock.url, api_key) as opened:
        yield opened


def refusal(call: Callable[[], object]) -> ControlError:
    with pytest.raises(ControlError) as caught:
        call()
    return caught.value


def test_importing_it_loads_nothing_of_the_server() -> None:
    program = "import runware_mock.client, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert not {"httpx", "fastapi", "sqlalchemy", "PIL", "uvicorn"} & set(loaded.split())


def test_it_tells_what_the_server_holds(mock: RunningMock, client: ControlClient) -> None:
    client.media.add(png())
    status = client.status()
    assert (status.url, status.settings["in_memory"]) == (mock.url, "True")
    assert status.media >= 1
    assert status.accounts >= 1


def test_every_account_is_listed_with_its_clock(client: ControlClient) -> None:
    client.media.add(png())
    newest = client.accounts()[0]
    assert (newest.id, newest.media, newest.now_at) == (client.clock.get().account, 1, START)


# Failures


def test_a_server_that_is_not_there_is_named_with_the_command_that_starts_one() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with ControlClient(url) as client:
        error = refusal(client.status)
    assert (error.code, error.status) == ("unreachable", None)
    assert url in error.message
    assert "runware-mock serve" in error.message


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "nonsense", "http://[::1"])
def test_what_is_no_url_is_named(url: str) -> None:
    def ask() -> None:
        with ControlClient(url) as client:
            client.status()

    assert url in refusal(ask).message


def test_another_web_server_is_told_apart() -> None:
    with stranger_running() as url, ControlClient(url) as client:
        error = refusal(client.status)
    assert error.code == "unreachable"
    assert "is not a runware-mock" in error.message


def test_a_refusal_names_the_field_the_code_and_the_status(client: ControlClient) -> None:
    client.snapshots.save("twice")
    told = {
        "a negative duration": refusal(lambda: client.clock.advance("-3d")),
        "the past": refusal(lambda: client.clock.set(0)),
        "nobody's medium": refusal(lambda: client.media.get("50836053-a0ee-4cf5-b9d6-ae7c5d140ada")),
        "a name that is taken": refusal(lambda: client.snapshots.save("twice")),
        "nothing within the time": refusal(lambda: client.journal.wait(2, timeout_s=0)),
        "no such scope": refusal(lambda: client.reset("everything")),
    }
    assert {what: (error.field, error.code, error.status) for what, error in told.items()} == {
        "a negative duration": ("by", "badField", 400),
        "the past": ("at", "badField", 400),
        "nobody's medium": ("uuid", "notFound", 404),
        "a name that is taken": ("name", "conflict", 409),
        "nothing within the time": ("count", "timeout", 408),
        "no such scope": ("scope", "badField", 400),
    }


def test_a_call_that_needs_an_account_says_so(mock: RunningMock) -> None:
    with ControlClient(mock.url) as client:
        assert refusal(client.snapshots.list).field == "account"


def test_a_server_with_a_token_asks_for_it() -> None:
    with running_mock(control_token="open-sesame") as guarded:  # noqa: S106 - a test's own
        with ControlClient(guarded.url) as client:
            assert refusal(client.status).code == "forbidden"
        with ControlClient(guarded.url, token="open-sesame") as client:  # noqa: S106 - likewise
            assert client.status().media == 0


@pytest.mark.parametrize("key", ["a-key\n", "a key\x00", "clé"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(mock: RunningMock, key: str) -> None:
    error = refusal(lambda: ControlClient(mock.url, key))
    assert error.field == "api_key"
    assert key.strip() not in str(error)


def test_a_failure_passes_from_one_process_to_another() -> None:
    error = pickle.loads(pickle.dumps(ControlError("no", "by", "badField", 400)))  # noqa: S301 - our own
    assert (str(error), error.field, error.code, error.status) == ("no", "by", "badField", 400)


def test_an_answer_of_a_newer_version_is_read() -> None:
    sent = {"name": "a", "created_at": "2026-01-01T00:00:00.000Z", "media": 1, "mood": "good"}
    assert Snapshot.model_validate(sent) == Snapshot(name="a", created_at=START, media=1)


@pytest.mark.parametrize(
    "answer", [b"no JSON", b"{}", b'{"now_at": "soon", "frozen": 1, "offset": "0s", "account": 1}']
)
def test_an_answer_that_is_not_understood_is_told_as_such(answer: bytes) -> None:
    with stranger_running(answer, {"X-Runware-Mock": "9"}) as url, ControlClient(url) as client:
        error = refusal(client.clock.get)
    assert error.code == "unreachable"
    assert "is it of another version?" in error.message


@given(st.integers(-(10**12), 10**12))
def test_every_duration_is_read_as_it_was_written(span_ms: int) -> None:
    span = timedelta(milliseconds=span_ms)
    assert read_span(write_span(span)) == span


# The clock


@pytest.mark.parametrize("by", ["31d", timedelta(days=31), None])
def test_the_clock_is_advanced_and_tells_what_was_purged(client: ControlClient, by: str | timedelta | None) -> None:
    medium = client.media.add(png())
    moved = client.clock.advance(days=31) if by is None else client.clock.advance(by)
    assert (moved.clock.now_at, moved.clock.offset) == (START + timedelta(days=31), timedelta(days=31))
    assert (moved.purged.media, moved.purged.uuids) == (1, (medium.uuid,))
    assert client.clock.now() == moved.clock.now_at


@pytest.mark.parametrize("at", [START + timedelta(days=1), "2026-01-02T00:00:00Z", 1_767_312_000_000])
def test_the_clock_is_set_to_an_instant_however_it_is_written(client: ControlClient, at: datetime | str | int) -> None:
    assert client.clock.set(at).clock.now_at == START + timedelta(days=1)


def test_the_clock_is_frozen_resumed_and_reset(client: ControlClient) -> None:
    assert client.clock.freeze().frozen
    client.clock.advance(hours=2, minutes=30)
    resumed = client.clock.resume()
    assert (resumed.frozen, resumed.offset) == (False, timedelta(hours=2, minutes=30))
    assert client.clock.reset().offset == timedelta()


def test_a_duration_is_given_once(client: ControlClient) -> None:
    with pytest.raises(TypeError, match="either"):
        client.clock.advance("1d", days=1)


# Media


def test_a_medium_is_added_with_an_age_found_and_deleted(client: ControlClient) -> None:
    picture, uuid = png(2100, 1050), "50836053-a0ee-4cf5-b9d6-ae7c5d140ad0"
    added = client.media.add(picture, uuid=uuid, age=timedelta(days=29))
    assert added == client.media.get(uuid)
    assert (added.time_left, added.expires_at) == (timedelta(days=1), START + timedelta(days=1))
    assert (added.width_px, added.height_px, added.downsized) == (2048, 1024, True)
    assert (added.sent.sha256, added.sent.width_px) == (hashlib.sha256(picture).hexdigest(), 2100)
    assert client.media.list() == [added]
    assert client.media.list(format="gif") == []
    assert client.media.delete(uuid) == 1
    assert client.media.list(state="all") == []


def test_a_medium_is_added_from_a_file(client: ControlClient, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(png())
    assert client.media.add(file).size_bytes == len(png())


def test_a_list_is_walked_page_by_page(client: ControlClient) -> None:
    uuids = [client.media.add(png()).uuid for _ in range(3)]
    first = client.media.list(limit=2)
    second = client.media.list(limit=2, before=first.next_before)
    assert [medium.uuid for medium in [*first, *second]] == uuids[::-1]
    assert second.next_before is None


@pytest.mark.parametrize("when", [{"within": "2d"}, {"within": timedelta(days=2)}, {"at": START + timedelta(days=2)}])
def test_a_forecast_tells_what_would_be_purged(client: ControlClient, when: dict[str, str]) -> None:
    old, new = client.media.add(png(), age="29d"), client.media.add(png())
    seen = client.media.forecast(**when)
    assert seen.at == START + timedelta(days=2)
    assert [(one.uuid, one.would_be_purged) for one in seen.media] == [(old.uuid, True), (new.uuid, False)]
    assert seen.would_purge.media == 1
    assert client.media.list() == [new, old]


def test_a_purge_tells_what_was_expired(client: ControlClient) -> None:
    client.media.add(png(), age="31d")
    assert client.purge().media == 1


# The journal


def test_the_journal_tells_who_uploaded_what(talker: Talker, client: ControlClient) -> None:
    picture = png()
    task = upload(picture)
    item = talker.ask(task).item
    (entry,) = client.journal.list(task_type="imageUpload", outcome="success")
    assert (entry.transport, entry.task_uuid, entry.at) == (talker.name, task["taskUUID"], START)
    assert entry.answer == (item,)
    assert entry.audit is not None
    assert entry.audit.declared == "image/png"
    assert entry.audit.sent.sha256 == hashlib.sha256(picture).hexdigest()
    assert entry == client.journal.get(entry.id)


def test_a_refused_task_explains_itself(talker: Talker, client: ControlClient) -> None:
    talker.ask(upload("no picture"))
    (entry,) = client.journal.list(outcome="error")
    assert entry.explanation is not None
    assert entry.explanation.value_head == "no picture"


def test_entries_are_counted_and_forgotten(talker: Talker, client: ControlClient) -> None:
    talker.ask(upload(png()), upload(png()))
    assert client.journal.count(task_type="imageUpload") == 2
    assert client.journal.count(outcome="error") == 0
    assert client.journal.clear() == 2
    assert client.journal.list() == []


def test_waiting_ends_when_the_entries_are_there(talker: Talker, client: ControlClient) -> None:
    asking = threading.Thread(target=talker.ask, args=(upload(png()), upload(png())))
    asking.start()
    entries = client.journal.wait(2, timeout_s=60, task_type="imageUpload")
    asking.join()
    assert [entry.outcome for entry in entries] == ["success", "success"]


# State


def test_a_snapshot_brings_an_account_back(client: ControlClient) -> None:
    medium = client.media.add(png())
    saved = client.snapshots.save("with one")
    assert (saved.name, saved.media) == ("with one", 1)
    assert client.reset("media").media == 1
    client.snapshots.restore("with one")
    assert client.media.list() == [medium]
    assert client.snapshots.list() == [saved]
    assert client.snapshots.delete("with one") == 1
    assert client.snapshots.list() == []


def test_an_archive_is_loaded_into_another_server(client: ControlClient, api_key: str) -> None:
    medium = client.media.add(png())
    with running_mock() as other, ControlClient(other.url, api_key) as there:
        assert there.load(client.export()).media == 1
        assert there.media.get(medium.uuid).sent == medium.sent


# Faults


def test_a_plan_tells_how_far_it_has_come(talker: Talker, client: ControlClient) -> None:
    planned = client.faults.plan(Fault("error", code="internalServerError", times=2), name="flaky")
    assert (planned.name, planned.is_met, planned.faults[0].remaining) == ("flaky", False, 2)
    talker.ask(upload(png()))
    assert client.faults.unmet() == client.faults.list() == [client.faults.get("flaky")]
    talker.ask(upload(png()))
    (fault,) = client.faults.get("flaky").faults
    assert (fault.kind, fault.met, fault.remaining) == ("error", 2, 0)
    assert client.faults.unmet() == []
    assert [met.plan for met in client.journal.list()[0].faults] == ["flaky"]


def test_a_plan_takes_durations_and_plain_dictionaries(client: ControlClient) -> None:
    planned = client.faults.plan(
        Fault("latency", delay=timedelta(milliseconds=1500)),
        {"kind": "late", "by": "2s", "task_type": "imageUpload"},
        must_be_met=False,
    )
    late, by = (fault.model_extra or {} for fault in planned.faults)
    assert (late["delay"], by["by"]) == ("1.5s", "2s")
    assert client.faults.unmet() == []


def test_plans_are_removed_by_name_or_all(client: ControlClient) -> None:
    for name in ("a", "b", "c"):
        client.faults.plan(Fault("latency"), name=name)
    assert client.faults.delete("a") == 1
    assert client.faults.delete() == 2
    assert refusal(lambda: client.faults.get("a")).code == "notFound"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
def test_a_name_that_would_be_another_path_removes_nothing(client: ControlClient, name: str) -> None:
    client.faults.plan(Fault("latency"), name="a")
    error = refusal(lambda: client.faults.delete(name))
    assert (error.field, error.code) == ("name", "notFound")
    assert [plan.name for plan in client.faults.list()] == ["a"]


def test_a_plan_that_is_no_plan_names_the_field(client: ControlClient) -> None:
    assert refusal(lambda: client.faults.plan(Fault("latency"), Fault("earthquake"))).field == "faults[1].kind"
    assert client.faults.list() == []
