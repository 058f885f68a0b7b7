"""The journal has every request: what was refused before it ran a task, questions about tasks, and what was sent."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from runware_mock.protocol.redaction import without_secrets
from tests import plain
from tests.control.calling import Calls, calling
from tests.faults.planning import plan, send_and_forget
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import Talker, new_uuid, talking, upload

KEY = "a-key-that-is-accepted-000000000"


@pytest.fixture
def everyone(mock: RunningMock) -> Iterator[Calls]:
    """Open a client for all accounts, whose journal is empty."""
    with calling(mock, None) as calls:
        calls.delete("/journal")
        yield calls


def entries(control: Calls, **chosen: str | int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = control.get("/journal", **chosen)["entries"]
    return found


def requests(control: Calls, **chosen: str | int) -> list[tuple[Any, ...]]:
    """Return transport, status, code and account of each request without a task, the newest first."""
    found = entries(control, kind="request", **chosen)
    return [(one["transport"], one["status"], one["answer"][0]["code"], one["account"]) for one in found]


BROKEN = b'[{"taskType":"authentication","apiKey":"a-secret-key-0123456789-xyz"},'


def test_a_body_that_is_not_json_is_in_the_journal_of_its_sender_without_the_keys_in_it(
    talker: Talker, control: Calls, api_key: str
) -> None:
    assert talker.send_raw(BROKEN + api_key.encode()).codes == ["invalidJson"]
    (entry,) = entries(control, kind="request")
    assert entry["status"] == (400 if talker.name == "rest" else None)
    assert (entry["outcome"], entry["answer"][0]["code"], entry["task_type"]) == ("error", "invalidJson", "")
    assert entry["task"]["path"] == "/v1"
    assert entry["task"]["body"] == (BROKEN.decode() + api_key).replace(
        "a-secret-key-0123456789-xyz", "a-s…xyz"
    ).replace(api_key, f"{api_key[:3]}…{api_key[-3:]}")
    assert entry["explanation"]["rule"] == "A request is a JSON array of tasks."


@pytest.mark.parametrize("chars", [512, 513])
def test_a_long_body_is_kept_as_its_beginning(talker: Talker, control: Calls, chars: int) -> None:
    body = "x" * chars
    assert talker.send_raw(body.encode()).codes == ["invalidJson"]
    kept = entries(control, kind="request")[0]["task"]["body"]
    assert kept == (body if chars == 512 else {"head": body[:64], "chars": chars})


def test_refused_keys_are_in_the_journal_of_all_accounts(transport: str) -> None:
    wrong = "a-wrong-key-0123456789-abc"
    with running_mock(api_key=KEY) as mock, calling(mock, None) as everyone, calling(mock, KEY) as control:
        with talking(mock, transport, wrong) as talker:
            asked = talker.ask(upload(png()))
            assert set(asked.codes) <= {"invalidApiKey", "missingApiKey"}
        status = 401 if transport == "rest" else None
        newest_first = requests(everyone)
        assert newest_first[-1] == (transport, status, "invalidApiKey", None)
        assert entries(everyone, kind="request")[-1]["task"]["sender"] == "a-w…abc"
        assert wrong not in str(entries(everyone, kind="all"))
        assert entries(control, kind="all") == entries(everyone) == []
        assert everyone.delete("/journal") == {"deleted": len(newest_first)}


def test_a_request_without_a_key_is_in_the_journal_once_whatever_it_holds(mock: RunningMock, everyone: Calls) -> None:
    with talking(mock, "rest", None) as talker:
        assert talker.ask(upload(png()), upload(png())).codes == ["missingApiKey"]
    (entry,) = entries(everyone, kind="request")
    assert (entry["status"], entry["account"]) == (401, None)
    assert entry["task"]["taskTypes"] == "imageUpload*2"


def test_tasks_before_the_authentication_of_a_socket_make_one_entry(mock: RunningMock, everyone: Calls) -> None:
    with talking(mock, "ws", None) as talker:
        assert talker.ask(upload(png()), upload(png())).codes == ["missingApiKey"] * 2
        assert requests(everyone) == [("ws", None, "missingApiKey", None)]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("POST", "/v1/images", {}, 404, "notFound"),
        ("GET", "/v1", {}, 405, "methodNotAllowed"),
        ("PUT", "/v1", {}, 405, "methodNotAllowed"),
        ("POST", "/v1", {"Origin": "https://example.com"}, 403, "originNotAllowed"),
    ],
)
def test_a_request_that_is_refused_for_its_form_is_in_the_journal(
    mock: RunningMock,
    everyone: Calls,
    api_key: str,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    plain.request(method, mock.url + path, headers={"Authorization": f"Bearer {api_key}", **headers})
    (entry,) = entries(everyone, kind="request", status=status, transport="rest")
    assert (entry["answer"][0]["code"], entry["task"]["method"], entry["task"]["path"]) == (code, method, path)
    # A page of another site opens no account.
    assert (entry["account"] is None) == (status == 403)
    assert entries(everyone, kind="request", transport="ws") == []


@pytest.mark.parametrize(("excess_bytes", "statuses"), [(0, [400]), (1, [413])])
def test_a_request_that_is_too_large_is_in_the_journal(excess_bytes: int, statuses: list[int]) -> None:
    with running_mock(max_message_bytes=1024) as mock, calling(mock, None) as everyone:
        plain.post(mock.rest_url, content=b"x" * (1024 + excess_bytes))
        assert [entry["status"] for entry in entries(everyone, kind="request")] == statuses


def test_a_socket_at_a_wrong_path_is_in_the_journal(mock: RunningMock, everyone: Calls) -> None:
    with pytest.raises(InvalidStatus), connect(f"{mock.ws_url}/images"):
        pass
    assert requests(everyone) == [("ws", 403, "notFound", None)]


# Questions about earlier tasks


def test_a_lookup_has_an_entry_but_never_counts_as_the_task(talker: Talker, control: Calls) -> None:
    uuid = new_uuid()
    asked = {"taskType": "getResponse", "taskUUID": uuid}
    assert talker.ask(asked).codes == ["taskNotFound"]
    # The lookup's failure is no answer of the task, and its success no conflict with it.
    assert talker.ask({"taskType": "getTaskDetails", "taskUUID": uuid}).codes == ["taskNotFound"]
    assert talker.ask({**upload(png()), "taskUUID": uuid}).item
    for _ in range(2):
        assert talker.ask(asked).item["status"] == "success"
    lookups = [(one["task_type"], one["outcome"]) for one in entries(control, kind="lookup", task_uuid=uuid)]
    assert lookups == [
        ("getResponse", "success"),
        ("getResponse", "success"),
        ("getTaskDetails", "error"),
        ("getResponse", "error"),
    ]
    (task,) = entries(control)
    assert (task["kind"], task["task_type"]) == ("task", "imageUpload")
    assert talker.ask({**upload(png()), "taskUUID": uuid}).codes == ["conflictTaskUUID"]


# The status of an answer, and what was really sent


def statuses(control: Calls) -> list[int | None]:
    return [one["status"] for one in reversed(entries(control))]


def test_tasks_have_the_status_of_their_request(mock: RunningMock, api_key: str, control: Calls) -> None:
    with talking(mock, "rest", api_key) as talker:
        talker.ask(upload(png()))
        talker.ask(upload("no picture"))
        talker.ask(upload(png()), upload("no picture"))
    assert statuses(control) == [200, 400, 200, 200]


def test_a_task_over_a_socket_has_no_status(mock: RunningMock, api_key: str, control: Calls) -> None:
    with talking(mock, "ws", api_key) as talker:
        talker.ask(upload(png()))
    assert statuses(control) == [None]


def test_every_task_of_a_request_shows_the_answer_of_an_http_fault(
    mock: RunningMock, api_key: str, control: Calls
) -> None:
    page = "<h1>Bad gateway</h1>"
    plan(control, {"kind": "http", "status": 502, "body": page})
    with talking(mock, "rest", api_key) as talker:
        answer = plain.post(
            mock.rest_url, json=[upload(png()), upload(png())], headers={"Authorization": f"Bearer {api_key}"}
        )
        assert (answer.status_code, answer.text) == (502, page)
        assert talker.ask(upload(png())).item
    met = entries(control)[:0:-1]
    assert [(one["status"], one["sent_body"]) for one in met] == [(502, page)] * 2
    assert entries(control)[0]["sent_body"] is None


@pytest.mark.parametrize(
    ("fault", "over", "status", "has_body"),
    [
        ({"kind": "empty"}, "rest", 0, False),
        ({"kind": "drop"}, "rest", 0, False),
        ({"kind": "truncate"}, "rest", 200, True),
        ({"kind": "drop"}, "ws", 0, False),
        ({"kind": "silent"}, "ws", 0, False),
        ({"kind": "close", "code": 1011}, "ws", 1011, False),
        ({"kind": "close", "code": 4001, "after_frames": 1}, "ws", 4001, False),
        ({"kind": "close", "code": 4001, "after_frames": 2}, "ws", None, False),
        ({"kind": "truncate"}, "ws", None, True),
        ({"kind": "latency", "delay": "1ms"}, "rest", 200, False),
    ],
)
def test_an_entry_says_what_was_sent_in_spite_of_a_fault(
    mock: RunningMock, api_key: str, control: Calls, fault: dict[str, Any], over: str, status: int, *, has_body: bool
) -> None:
    plan(control, fault)
    send_and_forget(mock, over, api_key, upload(png()))
    (entry,) = control.get("/journal/wait", timeout="30s")["entries"]
    if fault["kind"] != "latency" and status != entry["status"]:
        # The task is done before its answer is sent.
        (entry,) = control.get("/journal/wait", timeout="30s", status=status)["entries"]
    assert (entry["status"], entry["sent_body"] is not None) == (status, has_body)


@pytest.mark.parametrize(
    ("fault", "over", "status", "outcome"),
    [
        ({"kind": "refuse_authentication"}, "rest", 401, "error"),
        ({"kind": "refuse_authentication"}, "ws", None, "error"),
        ({"kind": "refuse_upgrade", "status": 503}, "ws", 503, "fault"),
        ({"kind": "cut_upload", "after_bytes": 64, "how": "refuse", "status": 413}, "rest", 413, "fault"),
        ({"kind": "cut_upload", "after_bytes": 64}, "rest", 0, "fault"),
        ({"kind": "cut_upload", "after_bytes": 64, "how": "refuse"}, "ws", 1009, "fault"),
        ({"kind": "cut_upload", "after_bytes": 64}, "ws", 0, "fault"),
    ],
)
def test_a_request_that_ran_no_task_names_the_fault_that_it_met(
    mock: RunningMock, api_key: str, control: Calls, fault: dict[str, Any], over: str, status: int, outcome: str
) -> None:
    name = control.post("/faults", faults=[fault])["name"]
    if over == "rest":
        send_and_forget(mock, over, api_key, upload(png()))
    else:
        headers = {"Authorization": f"Bearer {api_key}"}
        with suppress(WebSocketException), connect(mock.ws_url, additional_headers=headers) as socket:
            socket.send(json.dumps([{"taskType": "authentication", "apiKey": api_key}]))
            socket.recv(30)
            socket.send(json.dumps([upload(png())]))
            socket.recv(30)
    # After a refused authentication, the task is refused, too.
    *_, entry = control.get("/journal/wait", kind="request", timeout="30s")["entries"]
    assert (entry["status"], entry["outcome"]) == (status, outcome)
    assert [(one["plan"], one["kind"]) for one in entry["faults"]] == [(name, fault["kind"])]


# Archives


def without_fields(archive: bytes, *names: str) -> bytes:
    """Return an archive as a release wrote it that had no such fields in its journal."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            state = json.loads(before.read(name))
            state["version"] = "0006"
            state["journal"] = [{key: row[key] for key in row.keys() - set(names)} for row in state["journal"]]
            after.writestr(name, json.dumps(state))
    return out.getvalue()


def test_an_archive_brings_back_entries_of_every_kind(talker: Talker, control: Calls) -> None:
    talker.ask(upload("no picture"))
    talker.ask({"taskType": "getResponse", "taskUUID": new_uuid()})
    talker.send_raw(b"[")
    archive = control.client.get("/export").content
    before = [{**one, "id": 0} for one in entries(control, kind="all")]
    assert {one["kind"] for one in before} == {"task", "lookup", "request"}
    control.post("/import", content=archive)
    assert [{**one, "id": 0} for one in entries(control, kind="all")] == before


def test_an_archive_of_an_earlier_release_brings_back_tasks(talker: Talker, control: Calls) -> None:
    talker.ask(upload("no picture"))
    archive = control.client.get("/export").content
    control.post("/import", content=without_fields(archive, "kind", "status", "sent_body"))
    (entry,) = entries(control, outcome="error")
    assert (entry["kind"], entry["status"], entry["sent_body"]) == ("task", None, None)


@pytest.mark.parametrize(
    "text",
    [
        "api_key=SECRET&image=x",
        "'apiKey': 'SECRET'",
        '"{\\"apiKey\\":\\"SECRET\\"}"',
        "Authorization: Bearer SECRET",
        "password : SECRET",
    ],
)
def test_a_body_of_any_form_is_kept_without_the_secrets_in_it(text: str) -> None:
    kept_from_all = "one-that-nobody-knows-0"
    assert without_secrets(text.replace("SECRET", kept_from_all)) == text.replace("SECRET", "one…s-0")
    assert without_secrets("an unexpected token at position 5") == "an unexpected token at position 5"
