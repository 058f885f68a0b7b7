"""Faults of connections: refused, broken, closed, fallen silent; and what a client finds that comes back."""

import json
import socket
import threading
import time
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests import plain
from tests.control.calling import Calls, calling
from tests.faults.planning import is_met, plan
from tests.pictures import png
from tests.protocol.test_sockets import break_connection, resume, session_of, slow_picture
from tests.protocol.wires import wait_until
from tests.running import RunningMock, running_mock
from tests.talking import Talker, WsTalker, talking, talking_ws, upload

pytestmark = pytest.mark.both_transports


def asking(mock: RunningMock, api_key: str, task: object) -> bytes:
    """Send a task over a bare socket; return all that comes until the connection ends."""
    address = urlsplit(mock.url)
    body = json.dumps([task]).encode()
    head = f"POST /v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api_key}\r\nContent-Length: {len(body)}\r\n\r\n"
    received = b""
    with socket.create_connection((address.hostname, address.port), timeout=10) as bare:
        bare.sendall(head.encode() + body)
        while part := bare.recv(65536):
            received += part
    return received


@pytest.mark.parametrize("after_work", [False, True])
def test_a_reset_connection_is_reset(mock: RunningMock, api_key: str, control: Calls, *, after_work: bool) -> None:
    name = plan(control, {"kind": "reset", "after_work": after_work})
    with pytest.raises(ConnectionResetError):
        asking(mock, api_key, upload(png()))
    assert is_met(control, name)
    assert control.get("/media")["total"] == after_work


@pytest.mark.parametrize("after_work", [False, True])
def test_an_empty_answer_has_no_byte(mock: RunningMock, api_key: str, control: Calls, *, after_work: bool) -> None:
    plan(control, {"kind": "empty", "after_work": after_work})
    assert asking(mock, api_key, upload(png())) == b""
    assert control.get("/media")["total"] == after_work
    (entry,) = control.get("/journal")["entries"]
    assert entry["outcome"] == ("success" if after_work else "fault")


@pytest.mark.parametrize("kind", ["reset", "empty"])
def test_a_socket_breaks_without_a_close_frame(mock: RunningMock, api_key: str, control: Calls, kind: str) -> None:
    plan(control, {"kind": kind})
    with talking_ws(mock, api_key) as talker:
        talker.socket.send(json.dumps([upload(png())]))
        with pytest.raises((ConnectionClosed, ConnectionResetError)) as broken:
            talker.socket.recv(10)
        assert getattr(broken.value, "rcvd", None) is None
    assert control.get("/media")["total"] == 0


def test_a_dropped_reply_is_found_by_the_same_task_sent_again(mock: RunningMock, api_key: str, control: Calls) -> None:
    name = plan(control, {"kind": "drop"})
    task = upload(png())
    with talking_ws(mock, api_key) as talker:
        talker.socket.send(json.dumps([task]))
        with pytest.raises((ConnectionClosed, ConnectionResetError)):
            talker.socket.recv(10)
    assert is_met(control, name)
    with talking_ws(mock, api_key) as again:
        assert again.ask(task).item["taskUUID"] == task["taskUUID"]
    assert control.get("/media")["total"] == 1


def test_a_dropped_reply_is_replayed_to_a_session_that_is_resumed(
    mock: RunningMock, api_key: str, control: Calls
) -> None:
    plan(control, {"kind": "drop"})
    task = upload(png())
    with talking_ws(mock, api_key) as talker:
        session = talker.authenticated["data"][0]["connectionSessionUUID"]
        talker.socket.send(json.dumps([task]))
        with pytest.raises((ConnectionClosed, ConnectionResetError)):
            talker.socket.recv(10)
    with talking_ws(mock, None) as again:
        resumed = {"taskType": "authentication", "apiKey": api_key, "connectionSessionUUID": session}
        again.socket.send(json.dumps([resumed]))
        assert again.frame()["data"][0]["connectionSessionUUID"] == session
        assert again.frame()["data"][0]["taskUUID"] == task["taskUUID"]


def test_a_dropped_reply_may_leave_the_socket_open(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan(control, {"kind": "drop", "hang_up": False})
    first, second = upload(png()), upload(png())
    with talking_ws(mock, api_key) as talker:
        talker.socket.send(json.dumps([first]))
        assert talker.ask(second).item["taskUUID"] == second["taskUUID"]
        assert talker.ask({"taskType": "getResponse", "taskUUID": first["taskUUID"]}).item["imageUUID"]


@pytest.mark.parametrize(("hang_up", "error"), [(True, httpx.NetworkError), (False, httpx.ReadTimeout)])
def test_a_dropped_reply_over_rest_is_there_for_getresponse(
    mock: RunningMock, api_key: str, control: Calls, *, hang_up: bool, error: type[httpx.TransportError]
) -> None:
    name = plan(control, {"kind": "drop", "hang_up": hang_up})
    task = upload(png())
    headers = {"Authorization": f"Bearer {api_key}"}
    with pytest.raises(error):
        plain.post(mock.rest_url, json=[task], headers=headers, timeout=30 if hang_up else 2)
    assert control.get("/journal/wait", timeout="60s")["entries"]
    assert is_met(control, name)
    with talking(mock, "rest", api_key) as again:
        assert again.ask(task).codes == ["conflictTaskUUID"]
        assert again.ask({"taskType": "getResponse", "taskUUID": task["taskUUID"]}).item["imageUUID"]
    assert control.get("/media")["total"] == 1


def test_a_task_that_a_fault_kept_from_being_done_was_never_done(
    mock: RunningMock, transport: str, api_key: str, control: Calls
) -> None:
    plan(control, {"kind": "reset"})
    task = upload(png())
    with pytest.raises((httpx.NetworkError, ConnectionClosed)), talking(mock, transport, api_key) as talker:
        talker.ask(task)
    with talking(mock, transport, api_key) as again:
        assert again.ask({"taskType": "getResponse", "taskUUID": task["taskUUID"]}).codes == ["taskNotFound"]
        assert again.ask(task).item["taskUUID"] == task["taskUUID"]
    assert [entry["outcome"] for entry in control.get("/journal")["entries"]] == ["success", "fault"]


@pytest.mark.parametrize(
    ("over", "fault"),
    [
        ("rest", {"kind": "latency", "delay": "1h"}),
        ("ws", {"kind": "latency", "delay": "1h"}),
        ("rest", {"kind": "drop", "hang_up": False}),
        ("ws", {"kind": "drop", "hang_up": False}),
        ("ws", {"kind": "silent"}),
    ],
)
def test_a_server_stops_at_once_whoever_still_waits(
    api_key: str, over: str, fault: dict[str, str | bool], caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as clients:
        with running_mock() as mock, calling(mock, api_key) as control:
            name = plan(control, fault)
            waiting = clients.enter_context(talking(mock, over, api_key))
            asking = threading.Thread(target=lambda: suppressed(waiting, upload(png())))
            asking.start()
            wait_until(lambda: is_met(control, name))
            began_s = time.monotonic()
        assert time.monotonic() - began_s < 5
        assert "timeout graceful shutdown exceeded" not in caplog.text
        asking.join()


def suppressed(talker: Talker, task: object) -> None:
    """Send a task whose answer may be lost."""
    with suppress(httpx.HTTPError, ConnectionClosed):
        talker.ask(task)


def test_a_refused_key_in_a_header_is_no_refused_upgrade() -> None:
    with running_mock(api_key=("good",)) as mock:
        headers = {"Authorization": "Bearer bad"}
        with connect(mock.ws_url, additional_headers=headers, open_timeout=10) as bare:
            assert WsTalker(bare, "good").ask(upload(png())).item


def test_a_key_that_names_a_plan_names_it_for_the_upgrade_too(mock: RunningMock, api_key: str, control: Calls) -> None:
    control.post("/faults", faults=[{"kind": "refuse_upgrade", "status": 502}], name="down", by_name_only=True)
    for key in (api_key, f"{api_key}+other"):
        with connect(mock.ws_url, additional_headers={"Authorization": f"Bearer {key}"}, open_timeout=10):
            pass
    with pytest.raises(InvalidStatus) as refused:
        connect(mock.ws_url, additional_headers={"Authorization": f"Bearer {api_key}+down"}, open_timeout=10)
    assert refused.value.response.status_code == 502
    assert is_met(control, "down")


@pytest.mark.parametrize("code", [1000, 1011, 1012, 4000])
def test_a_socket_is_closed_with_the_code_instead_of_the_reply(
    mock: RunningMock, api_key: str, control: Calls, code: int
) -> None:
    name = plan(control, {"kind": "close", "code": code, "nth": 2})
    with talking_ws(mock, api_key) as talker:
        assert talker.ask(upload(png())).item
        talker.socket.send(json.dumps([upload(png())]))
        with pytest.raises(ConnectionClosed) as closed:
            talker.socket.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
    assert is_met(control, name)


def test_a_socket_is_closed_when_some_more_frames_were_sent(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan(control, {"kind": "close", "code": 1011, "after_frames": 2})
    with talking_ws(mock, api_key) as talker:
        for _ in range(2):
            assert talker.ask(upload(png())).item
        with pytest.raises(ConnectionClosed) as closed:
            talker.socket.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011


def test_what_a_close_in_the_middle_of_a_batch_swallows_is_replayed(
    mock: RunningMock, api_key: str, control: Calls
) -> None:
    plan(control, {"kind": "close", "code": 1011, "after_frames": 1})
    tasks = [upload(png()) for _ in range(3)]
    with talking_ws(mock, api_key) as talker:
        session = talker.authenticated["data"][0]["connectionSessionUUID"]
        talker.socket.send(json.dumps(tasks))
        first = talker.frame()["data"][0]["taskUUID"]
        with pytest.raises(ConnectionClosed) as closed:
            talker.socket.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011
    with talking_ws(mock, None) as again:
        resumed = {"taskType": "authentication", "apiKey": api_key, "connectionSessionUUID": session}
        again.socket.send(json.dumps([resumed]))
        assert again.frame()["data"][0]["connectionSessionUUID"] == session
        # What was sent just before the close may come a second time.
        missed = {task["taskUUID"] for task in tasks} - {first}
        while missed:
            missed -= {again.frame()["data"][0]["taskUUID"]}


def test_a_silent_socket_neither_answers_nor_pongs_nor_closes(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan(control, {"kind": "silent"})
    with connect(mock.ws_url, ping_interval=None, close_timeout=0.1) as bare:
        talker = WsTalker(bare, api_key)
        task = upload(png())
        bare.send(json.dumps([task]))
        assert control.get("/journal/wait", status=0, timeout="60s")["entries"]
        with pytest.raises(TimeoutError):
            bare.recv(0.5)
        assert not bare.ping().wait(0.3)
        bare.send(json.dumps([{"taskType": "ping", "ping": True}]))
        with pytest.raises(TimeoutError):
            bare.recv(0.3)
        assert talker.authenticated
    # The work was done, and whoever comes back is told.
    with talking_ws(mock, api_key) as again:
        assert again.ask(task).item


def test_an_upgrade_is_refused_for_all_accounts_or_for_one_that_says_early_who_it_is(api_key: str) -> None:
    with running_mock() as mock, calling(mock, None) as everyone, calling(mock, api_key) as own:
        name = plan(everyone, {"kind": "refuse_upgrade", "status": 429})
        with pytest.raises(InvalidStatus) as refused:
            connect(mock.ws_url, open_timeout=10)
        assert refused.value.response.status_code == 429
        assert is_met(everyone, name)
        with talking_ws(mock, api_key) as talker:
            assert talker.ask(upload(png())).item
        own.post("/faults", faults=[{"kind": "refuse_upgrade"}])
        with talking_ws(mock, api_key) as talker:
            assert talker.ask(upload(png())).item
        with pytest.raises(InvalidStatus):
            connect(mock.ws_url, additional_headers={"Authorization": f"Bearer {api_key}"}, open_timeout=10)


def test_an_authentication_is_refused_as_a_bad_key_is(
    mock: RunningMock, transport: str, api_key: str, control: Calls
) -> None:
    name = plan(control, {"kind": "refuse_authentication"})
    if transport == "ws":
        with talking_ws(mock, None) as bare:
            bare.socket.send(json.dumps([{"taskType": "authentication", "apiKey": api_key}]))
            assert bare.frame()["errors"][0]["code"] == "invalidApiKey"
            bare.socket.send(json.dumps([{"taskType": "authentication", "apiKey": api_key}]))
            assert bare.frame()["data"][0]["connectionSessionUUID"]
    else:
        with talking(mock, transport, api_key) as talker:
            answer = talker.ask(upload(png()))
            assert (answer.status, answer.codes) == (401, ["invalidApiKey"])
            assert talker.ask(upload(png())).item
    assert is_met(control, name)


def test_what_was_asked_before_a_refused_authentication_is_still_replayed(
    mock: RunningMock, api_key: str, control: Calls
) -> None:
    with slow_picture() as slow, talking_ws(mock, api_key) as talker:
        session, task = session_of(talker), upload(slow.url)
        talker.socket.send(json.dumps([task]))
        assert slow.asked_for.wait(30)
        plan(control, {"kind": "refuse_authentication"})
        talker.socket.send(json.dumps([{"taskType": "authentication", "apiKey": api_key}]))
        assert talker.frame()["errors"][0]["code"] == "invalidApiKey"
        break_connection(talker)
        slow.may_answer.set()
        with talking_ws(mock, None) as again:
            resume(again, api_key, session)
            assert again.frame()["data"][0]["taskUUID"] == task["taskUUID"]


def test_an_authentication_takes_its_time(mock: RunningMock, transport: str, api_key: str, control: Calls) -> None:
    plan(control, {"kind": "delay_authentication", "delay": "300ms"})
    began_s = time.monotonic()
    with talking(mock, transport, api_key) as talker:
        assert talker.ask(upload(png())).item
    assert time.monotonic() - began_s >= 0.3


def test_a_ping_gets_no_pong(mock: RunningMock, api_key: str, control: Calls) -> None:
    name = plan(control, {"kind": "no_pong", "times": 2})
    ping = json.dumps([{"taskType": "ping", "ping": True}])
    with talking_ws(mock, api_key) as talker:
        for _ in range(3):
            talker.socket.send(ping)
        assert talker.frame()["data"] == [{"taskType": "ping", "pong": True}]
        with pytest.raises(TimeoutError):
            talker.socket.recv(0.2)
    assert is_met(control, name)
