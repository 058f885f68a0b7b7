"""The plugin beside the tools that patch HTTP clients, sockets and the time: each is the real package."""

import pytest

# What every tool must leave alone: control calls, the server in the same process, its fetching of URLs, waits that end.
STORIES = """
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
import pytest
import app

class Pictures(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(app.PICTURE)

def urls_are_fetched(mock):
    with HTTPServer(("127.0.0.1", 0), Pictures) as site:
        threading.Thread(target=site.handle_request).start()
        answer = app.ask(mock, {"taskType": "imageUpload", "image": f"http://127.0.0.1:{site.server_port}/a.png"})
    assert "data" in answer, answer
    mock.assert_uploaded(app.PICTURE, times=1)

def uploads_are_seen(mock):
    uuid = app.upload(mock)["data"][0]["imageUUID"]
    mock.assert_uploaded(app.PICTURE, times=1)
    assert mock.is_stored(uuid)
    mock.clock.advance(days=31)
    assert not mock.is_stored(uuid)
    urls_are_fetched(mock.account("an-account-for-urls-0123456789abcdef"))

def waits_end(mock):
    mock.faults.plan({"kind": "latency", "delay": "100ms"})
    background = threading.Thread(target=app.upload, args=[mock])
    background.start()
    assert len(mock.wait_for_uploads(1, timeout_s=60)) == 1
    background.join()
    with pytest.raises(AssertionError, match="waited 0.2 s for 2 uploads, but there was 1"):
        mock.wait_for_uploads(2, timeout_s=0.2)

def time_is_real(mock):
    medium = mock.media.add(app.PICTURE)
    assert medium.created_at > datetime(2025, 1, 1, tzinfo=UTC)
    assert timedelta(days=30) - timedelta(minutes=5) < medium.time_left <= timedelta(days=30)
    mock.clock.freeze()
    mock.clock.advance(days=29)
    assert timedelta(0) < mock.time_left(medium.uuid) <= timedelta(days=1)
"""


@pytest.fixture
def tested(project: pytest.Pytester) -> pytest.Pytester:
    """A project whose tests use the plugin and another tool."""
    project.makepyfile(stories=STORIES)
    return project


def test_pytest_httpx(tested: pytest.Pytester) -> None:
    tested.makepyfile(
        """
        import httpx
        import pytest
        import stories

        @pytest.mark.httpx_mock(should_mock=lambda request: request.url.host != "127.0.0.1")
        def test_another_service_is_mocked(runware_mock, httpx_mock):
            httpx_mock.add_response(url="https://api.example.com/", json={"mocked": True})
            assert httpx.get("https://api.example.com/").json() == {"mocked": True}
            stories.uploads_are_seen(runware_mock)

        def test_every_service_is_mocked(runware_mock, httpx_mock):
            runware_mock.media.add(stories.app.PICTURE)
            runware_mock.assert_not_uploaded()
        """
    )
    tested.runpytest().assert_outcomes(passed=2)


def test_respx(tested: pytest.Pytester) -> None:
    tested.makepyfile(
        """
        import httpx
        import stories

        def test_another_service_is_mocked(runware_mock, respx_mock):
            respx_mock.get("https://api.example.com/").respond(json={"mocked": True})
            respx_mock.route(host="127.0.0.1").pass_through()
            assert httpx.get("https://api.example.com/").json() == {"mocked": True}
            stories.uploads_are_seen(runware_mock)

        def test_every_service_is_mocked(runware_mock, respx_mock):
            runware_mock.media.add(stories.app.PICTURE)
            runware_mock.assert_not_uploaded()
        """
    )
    tested.runpytest().assert_outcomes(passed=2)


def test_responses(tested: pytest.Pytester) -> None:
    tested.makepyfile(
        """
        import requests
        import responses
        import stories

        @responses.activate
        def test_another_service_is_mocked(runware_mock):
            responses.get("https://api.example.com/", json={"mocked": True})
            assert requests.get("https://api.example.com/").json() == {"mocked": True}
            stories.uploads_are_seen(runware_mock)
        """
    )
    tested.runpytest().assert_outcomes(passed=1)


def test_requests_mock(tested: pytest.Pytester) -> None:
    tested.makepyfile(
        """
        import requests
        import stories

        def test_another_service_is_mocked(runware_mock, requests_mock):
            requests_mock.get("https://api.example.com/", json={"mocked": True})
            assert requests.get("https://api.example.com/").json() == {"mocked": True}
            stories.uploads_are_seen(runware_mock)
        """
    )
    tested.runpytest().assert_outcomes(passed=1)


def test_vcrpy(tested: pytest.Pytester) -> None:
    tested.makefile(
        ".yaml",
        cassette="""
        version: 1
        interactions:
        - request: {method: GET, uri: "http://api.example.com/", body: null, headers: {}}
          response: {status: {code: 200, message: OK}, headers: {}, body: {string: recorded}}
        """,
    )
    tested.makepyfile(
        """
        import urllib.request
        import vcr
        import stories

        def test_another_service_is_played_back(runware_mock):
            with vcr.VCR(ignore_localhost=True, record_mode="none").use_cassette("cassette.yaml") as cassette:
                assert urllib.request.urlopen("http://api.example.com/").read() == b"recorded"
                stories.uploads_are_seen(runware_mock)
            assert cassette.play_count == len(cassette) == 1
        """
    )
    # PyYAML's C part does not bear the second import that a run in this process would be.
    tested.runpytest_subprocess().assert_outcomes(passed=1)


def test_pytest_socket(tested: pytest.Pytester) -> None:
    tested.makepyfile(
        """
        import socket
        import pytest
        import pytest_socket
        import stories

        def test_only_this_machine_is_reached(runware_mock):
            with pytest.raises(pytest_socket.SocketConnectBlockedError):
                socket.create_connection(("192.0.2.1", 80))
            stories.uploads_are_seen(runware_mock)
            stories.waits_end(runware_mock.account("another-account-0123456789abcdef"))
        """
    )
    tested.runpytest("--disable-socket", "--allow-hosts=127.0.0.1", "-Wdefault").assert_outcomes(passed=1)


FREEZERS = {
    "freezegun": "import freezegun\nfrozen = freezegun.freeze_time('2020-01-01')",
    "time-machine": "import time_machine\nfrozen = time_machine.travel('2020-01-01T00:00Z', tick=False)",
}


@pytest.mark.parametrize("freezer", FREEZERS)
def test_a_test_that_freezes_time(tested: pytest.Pytester, freezer: str) -> None:
    tested.makepyfile(
        f"""
import time
import stories
{FREEZERS[freezer]}

@frozen
def test_time_stands_still_for_the_application_alone(runware_mock):
    assert time.time() == time.time() == 1577836800
    stories.uploads_are_seen(runware_mock)
    stories.waits_end(runware_mock.account("another-account-0123456789abcdef"))
    stories.time_is_real(runware_mock.account("a-third-account-0123456789abcdef"))
"""
    )
    tested.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("freezer", FREEZERS)
def test_a_session_that_freezes_time_before_the_server_starts(tested: pytest.Pytester, freezer: str) -> None:
    tested.makeconftest(
        f"""
import pytest
{FREEZERS[freezer]}

@pytest.fixture(scope="session", autouse=True)
def stand_still():
    with frozen:
        yield
"""
    )
    tested.makepyfile(
        """
        import time
        import stories

        def test_time_stands_still_for_the_application_alone(runware_mock):
            assert time.time() == time.time() == 1577836800
            stories.uploads_are_seen(runware_mock)
            stories.waits_end(runware_mock.account("another-account-0123456789abcdef"))
            stories.time_is_real(runware_mock.account("a-third-account-0123456789abcdef"))
        """
    )
    tested.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_socket_that_was_heard_before_time_was_frozen_is_not_idle(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nrunware_mock_settings = idle_timeout=12s\n")
    project.makepyfile(
        """
        import json
        import threading
        import freezegun
        from websockets.sync.client import connect
        from runware_mock.clock import monotonic_s

        def ask(socket, task):
            socket.send(json.dumps([task]))
            return json.loads(socket.recv())["data"]

        def wait_until(instant_s):
            threading.Event().wait(max(0, instant_s - monotonic_s()))

        def test_frozen(runware_mock):
            with connect(runware_mock.ws_url) as socket:
                ask(socket, {"taskType": "authentication", "apiKey": runware_mock.api_key})
                began_s = monotonic_s()
                wait_until(began_s + 6)
                ask(socket, {"taskType": "ping", "ping": True})
                with freezegun.freeze_time("2020-01-01"):
                    # By then the server has looked whether the client has been silent since the beginning.
                    wait_until(began_s + 12.2)
                    assert ask(socket, {"taskType": "ping", "ping": True})[0]["pong"] is True
        """
    )
    project.runpytest().assert_outcomes(passed=1)
