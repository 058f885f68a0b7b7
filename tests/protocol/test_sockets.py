"""What only a WebSocket has: order, idleness, broken connections, answers delivered later."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from runware_mock.storage.models import undelivered
from tests.control.calling import calling
from tests.faults.planning import plan
from tests.pictures import png
from tests.process.load import metric
from tests.protocol.wires import Wire, wait_until
from tests.running import RunningMock, running_mock
from tests.stores import Store
from tests.talking import Answer, Task, WsTalker, new_uuid, talking, talking_ws, upload
from tests.tasks.asking import inference

pytestmark = pytest.mark.both_databases

PING = {"taskType": "ping", "ping": True}
AUTHENTICATION = "authentication"


class SlowPicture:
    """A picture on a web server that answers only when the test says so."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked_for = threading.Event()
        self.may_answer = threading.Event()


@contextmanager
def slow_picture() -> Iterator[SlowPicture]:
    """Serve one slow picture."""
    picture = png()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            slow.asked_for.set()
            slow.may_answer.wait(30)
            self.send_response(200)
            self.send_header("Content-Length", str(len(picture)))
            self.end_headers()
            self.wfile.write(picture)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        slow = SlowPicture(f"http://127.0.0.1:{server.server_port}/slow.png")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield slow
        finally:
            slow.may_answer.set()
            server.shutdown()
            thread.join()


def session_of(talker: WsTalker) -> str:
    """Return the session of an authenticated socket."""
    return str(talker.authenticated["data"][0]["connectionSessionUUID"])


def resume(talker: WsTalker, api_key: str, session: str) -> None:
    """Authenticate on a new socket as the client of an old one."""
    request = {"taskType": AUTHENTICATION, "apiKey": api_key, "connectionSessionUUID": session}
    assert talker.ask(request).item["connectionSessionUUID"] == session


def break_connection(talker: WsTalker) -> None:
    """Lose the connection without a closing handshake."""
    talker.socket.socket.shutdown(2)


def send_again(talker: WsTalker, task: Task) -> Answer:
    """Send a task whose answer was lost until the server has noticed the broken connection; return the answer."""
    answers: list[Answer] = []

    def is_answered() -> bool:
        answers.append(talker.ask(task))
        assert set(answers[-1].codes) <= {"conflictTaskUUID"}
        return not answers[-1].errors

    wait_until(is_answered)
    return answers[-1]


def test_a_quick_task_is_answered_before_a_slow_one_sent_earlier(mock: RunningMock, api_key: str) -> None:
    with slow_picture() as slow, talking_ws(mock, api_key) as talker:
        late, early = upload(slow.url), upload(png())
        talker.socket.send(json.dumps([late]))
        assert slow.asked_for.wait(30)
        assert talker.ask(early).item["taskUUID"] == early["taskUUID"]
        assert talker.ask(PING).item["pong"] is True
        slow.may_answer.set()
        assert talker.frame()["data"][0]["taskUUID"] == late["taskUUID"]


def test_the_tasks_of_one_frame_are_answered_one_frame_each_as_they_are_ready(mock: RunningMock, api_key: str) -> None:
    with slow_picture() as slow, talking_ws(mock, api_key) as talker:
        late, early = upload(slow.url), upload(png())
        talker.socket.send(json.dumps([late, early]))
        assert talker.frame()["data"][0]["taskUUID"] == early["taskUUID"]
        slow.may_answer.set()
        assert talker.frame()["data"][0]["taskUUID"] == late["taskUUID"]


def test_authentication_ping_and_tasks_may_share_a_frame(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, None) as talker:
        answer = talker.ask(upload(png()), PING, {"taskType": AUTHENTICATION, "apiKey": api_key})
    assert [item["taskType"] for item in answer.data] == [AUTHENTICATION, "ping", "imageUpload"]


def test_a_silent_socket_is_closed_with_1011() -> None:
    with (
        running_mock(idle_timeout=timedelta(milliseconds=50)) as mock,
        talking_ws(mock, None) as talker,
        pytest.raises(ConnectionClosed) as closed,
    ):
        talker.socket.recv(30)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1011, "idle")


def test_a_socket_that_waits_for_its_task_is_not_idle(api_key: str) -> None:
    with (
        running_mock(idle_timeout=timedelta(seconds=2)) as mock,
        slow_picture() as slow,
        talking_ws(mock, api_key) as talker,
    ):
        talker.socket.send(json.dumps([upload(slow.url)]))
        assert slow.asked_for.wait(30)
        with talking_ws(mock, None) as idle, pytest.raises(ConnectionClosed):
            idle.socket.recv(30)
        slow.may_answer.set()
        assert talker.frame()["data"][0]["imageUUID"]


def test_a_socket_whose_authentication_takes_long_is_not_idle(api_key: str) -> None:
    with running_mock(idle_timeout=timedelta(seconds=2)) as mock:
        with calling(mock, api_key) as control:
            plan(control, {"kind": "delay_authentication", "delay": "3s"})
        with talking_ws(mock, None) as talker:
            answer = talker.ask({"taskType": AUTHENTICATION, "apiKey": api_key}, upload(png()))
        assert [item["taskType"] for item in answer.data] == [AUTHENTICATION, "imageUpload"]


def test_the_idle_time_is_120_seconds_unless_set(mock: RunningMock) -> None:
    """The connection is "closed 120 s after the last message"."""
    assert mock.services.settings.idle_timeout == timedelta(seconds=120)


def test_rule_30_an_answer_that_was_ready_too_late_is_delivered_after_the_resume(
    mock: RunningMock, api_key: str
) -> None:
    with slow_picture() as slow, talking_ws(mock, api_key) as second:
        with talking_ws(mock, api_key) as first:
            session, task = session_of(first), upload(slow.url)
            first.socket.send(json.dumps([task]))
            assert slow.asked_for.wait(30)
            break_connection(first)
        slow.may_answer.set()
        # Finished while nobody was there: getResponse on any socket sees it.
        request = {"taskType": "getResponse", "taskUUID": task["taskUUID"]}
        wait_until(lambda: not second.ask(request).errors)
        with talking_ws(mock, None) as third:
            resume(third, api_key, session)
            assert third.frame()["data"][0]["taskUUID"] == task["taskUUID"]


def test_rule_30_an_answer_that_is_ready_after_the_resume_is_delivered_there(mock: RunningMock, api_key: str) -> None:
    with slow_picture() as slow, talking_ws(mock, api_key) as first, talking_ws(mock, None) as second:
        session, task = session_of(first), upload(slow.url)
        first.socket.send(json.dumps([task]))
        assert slow.asked_for.wait(30)
        break_connection(first)
        resume(second, api_key, session)
        slow.may_answer.set()
        assert second.frame()["data"][0]["taskUUID"] == task["taskUUID"]


@pytest.fixture
def pair(store: Store) -> Iterator[tuple[RunningMock, RunningMock]]:
    """Run two servers on one database."""
    with running_mock(**store.settings) as here, running_mock(**store.settings) as there:
        yield here, there


def test_an_answer_that_is_ready_after_a_resume_at_another_server_is_delivered_there(
    pair: tuple[RunningMock, RunningMock], api_key: str
) -> None:
    here, there = pair
    with slow_picture() as slow, talking_ws(here, api_key) as first, talking_ws(there, None) as second:
        session, task = session_of(first), upload(slow.url)
        first.socket.send(json.dumps([task]))
        assert slow.asked_for.wait(30)
        break_connection(first)
        resume(second, api_key, session)
        slow.may_answer.set()
        assert second.frame()["data"][0]["taskUUID"] == task["taskUUID"]


def test_an_answer_lost_with_the_connection_is_delivered_after_a_resume_at_another_server(
    pair: tuple[RunningMock, RunningMock], api_key: str
) -> None:
    here, there = pair
    with talking_ws(here, api_key) as first, talking_ws(there, None) as second:
        session = session_of(first)
        item = first.ask(upload(png())).item
        break_connection(first)
        resume(second, api_key, session)
        assert second.frame()["data"] == [item]
        assert second.ask(PING).item["pong"] is True


def test_a_task_whose_answer_was_lost_is_answered_when_it_is_sent_again_to_another_server(
    pair: tuple[RunningMock, RunningMock], api_key: str
) -> None:
    here, there = pair
    with talking_ws(here, api_key) as first, talking_ws(there, api_key) as second:
        task = upload(png())
        item = first.ask(task).item
        break_connection(first)
        answer = send_again(second, task)
        assert answer.item == item
        assert second.ask(task).error["code"] == "conflictTaskUUID"


def test_an_answer_lost_with_the_connection_is_delivered_after_the_resume(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, api_key) as first, talking_ws(mock, None) as second:
        session = session_of(first)
        item = first.ask(upload(png())).item
        break_connection(first)
        resume(second, api_key, session)
        assert second.frame()["data"] == [item]


def test_rule_28_a_task_whose_answer_was_lost_is_answered_when_it_is_sent_again(
    mock: RunningMock, api_key: str
) -> None:
    with talking_ws(mock, api_key) as first, talking_ws(mock, api_key) as second:
        task = upload(png())
        item = first.ask(task).item
        break_connection(first)
        answer = send_again(second, task)
        assert answer.item == item
        assert second.ask(task).error["code"] == "conflictTaskUUID"


def test_a_task_whose_several_frames_were_lost_is_answered_with_all_of_them_when_it_is_sent_again(
    mock: RunningMock, api_key: str
) -> None:
    with talking_ws(mock, api_key) as first, talking_ws(mock, api_key) as second:
        task = inference(numberResults=3)
        items = [first.ask(task).item, *first.frame()["data"], *first.frame()["data"]]
        break_connection(first)
        answer = send_again(second, task)
        assert [answer.item, *second.frame()["data"], *second.frame()["data"]] == items
        assert second.ask(task).error["code"] == "conflictTaskUUID"


def test_an_answer_is_not_kept_after_a_clean_close(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, api_key) as first:
        session = session_of(first)
        assert first.ask(upload(png())).item
    with talking_ws(mock, None) as second:
        resume(second, api_key, session)
        assert second.ask(PING).item["pong"] is True


@pytest.mark.parametrize(("waited_s", "is_delivered"), [(119.999, True), (120, False), (121, False)])
def test_undelivered_answers_are_kept_for_120_seconds(
    store: Store, api_key: str, waited_s: float, *, is_delivered: bool
) -> None:
    with running_mock(**store.settings) as mock, talking_ws(mock, api_key) as first:
        session = session_of(first)
        item = first.ask(upload(png())).item
        break_connection(first)
        wait_until(lambda: mock.count(undelivered))
        mock.clock.advance(timedelta(seconds=waited_s))
        with talking_ws(mock, None) as second:
            resume(second, api_key, session)
            assert (second.ask(PING).item == item) == is_delivered


def test_another_account_gets_nothing_of_a_session(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, api_key) as first:
        session = session_of(first)
        first.ask(upload(png()))
        break_connection(first)
        with talking_ws(mock, None) as thief:
            resume(thief, api_key + "-other", session)
            assert thief.ask(PING).item["pong"] is True


def test_undelivered_answers_survive_a_restart(store: Store, api_key: str) -> None:
    with slow_picture() as slow:
        with running_mock(**store.settings) as mock, talking_ws(mock, api_key) as first:
            session = session_of(first)
            item = first.ask(upload(png())).item
            break_connection(first)
            wait_until(lambda: mock.count(undelivered))
        slow.may_answer.set()
        with running_mock(**store.settings) as mock, talking_ws(mock, None) as second:
            resume(second, api_key, session)
            assert second.frame()["data"] == [item]


def test_a_rest_client_that_goes_away_takes_back_what_has_not_begun(mock: RunningMock, api_key: str) -> None:
    with slow_picture() as slow, talking(mock, "rest", api_key) as talker:
        waiting = [upload(slow.url) for _ in range(80)]
        body = json.dumps(waiting)
        head = f"POST /v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api_key}\r\nContent-Length: {len(body)}\r\n\r\n"
        with closing(Wire(mock)) as wire:
            wire.send(f"{head}{body}".encode())
            wait_until(lambda: metric(mock.url, "tasks_waiting"))
            assert slow.asked_for.wait(30)
        # The server looks only now and then whether the client is still there.
        wait_until(lambda: not metric(mock.url, "tasks_waiting"))
        slow.may_answer.set()
        last = {"taskType": "getResponse", "taskUUID": waiting[-1]["taskUUID"]}
        # A task of the same kind waits its turn behind those that have begun.
        assert talker.ask(upload(slow.url)).item
        assert talker.ask(last).error["code"] == "taskNotFound"


def test_a_long_session_uuid_is_replaced(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, None) as talker:
        request = {"taskType": AUTHENTICATION, "apiKey": api_key, "connectionSessionUUID": "x" * 65}
        assert len(talker.ask(request).item["connectionSessionUUID"]) == len(new_uuid())


def test_a_socket_that_authenticates_anew_speaks_for_its_new_session_alone(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, api_key) as first, talking_ws(mock, None) as second:
        session, item = session_of(first), first.ask(upload(png())).item
        resume(second, api_key, session)
        resume(second, api_key, new_uuid())
        break_connection(first)
        with talking_ws(mock, None) as third:
            resume(third, api_key, session)
            assert third.frame()["data"] == [item]
        assert second.ask(PING).item["pong"] is True


def test_an_error_that_was_sent_is_never_sent_again(mock: RunningMock, api_key: str) -> None:
    """Two SDKs hand an error of a task that they do not know to every task in flight."""
    with talking_ws(mock, api_key) as first, talking_ws(mock, None) as second:
        session = session_of(first)
        assert first.ask(upload("no picture")).error
        item = first.ask(upload(png())).item
        break_connection(first)
        resume(second, api_key, session)
        assert second.frame()["data"] == [item]
        assert second.ask(PING).item["pong"] is True


def test_each_result_of_a_task_is_sent_alone_and_asked_for_together(mock: RunningMock, api_key: str) -> None:
    """The documentation: "one or multiple images per message, generated in parallel"."""
    task = inference(numberResults=3)
    with talking_ws(mock, api_key) as talker:
        talker.socket.send(json.dumps([task]))
        frames = [talker.frame()["data"] for _ in range(3)]
        assert [len(items) for items in frames] == [1, 1, 1]
        assert len({items[0]["imageUUID"] for items in frames}) == 3
        together = talker.ask({"taskType": "getResponse", "taskUUID": task["taskUUID"]}).data
        assert [item["imageUUID"] for item in together] == [items[0]["imageUUID"] for items in frames]


def test_a_frame_that_was_too_big_for_the_client_is_not_replayed(mock: RunningMock, api_key: str) -> None:
    """A client closes with 1009 when it gets one, and would do so after each resume."""
    with connect(mock.ws_url, max_size=2000) as websocket:
        first = WsTalker(websocket, api_key)
        session = session_of(first)
        websocket.send(json.dumps([inference(outputType="base64Data", outputFormat="PNG")]))
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(30)
        assert closed.value.sent is not None
        assert closed.value.sent.code == 1009
    with talking_ws(mock, None) as second:
        resume(second, api_key, session)
        assert second.ask(PING).item["pong"] is True
