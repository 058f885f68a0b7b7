"""`runware-mock exec` refuses what a program sends to the real service through the proxy that it is given."""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.running import run_command

# Sends a GET to each URL, through the proxies of the environment unless NO_PROXY says otherwise.
GETS = """
import sys
from urllib.error import HTTPError, URLError
from urllib.request import urlopen
for url in sys.argv[1:]:
    try:
        print(urlopen(url).read().decode())
    except HTTPError as error:
        print(error.code, error.read().decode())
    except URLError as error:
        print(error.reason)
"""


class Host(BaseHTTPRequestHandler):
    """Says what was asked of it."""

    def do_GET(self) -> None:
        """Answer with the line of the request and its header Connection."""
        body = f"{self.requestline} {self.headers['Connection']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    """Another host, as the program sees it: an address that NO_PROXY does not name."""
    server = HTTPServer(("127.0.0.2", 0), Host)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.2:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def get(*urls: str, options: tuple[str, ...] = (), **variables: str) -> tuple[int, str, str]:
    done = run_command("exec", *options, "--", sys.executable, "-c", GETS, *urls, **variables)
    return done.returncode, done.stdout, done.stderr


def test_a_leak_is_refused_reported_and_makes_a_failure_of_a_success() -> None:
    status, printed, report = get(
        "http://im.runware.ai/image", "https://api.runware.ai/v1", "https://api.runware.ai/v1"
    )
    assert status == 1
    assert printed.startswith("403 runware-mock exec refuses im.runware.ai, the real service: use RUNWARE_BASE_URL")
    assert printed.count("403 Forbidden") == 2
    assert report.splitlines() == [
        "runware-mock: GET im.runware.ai was refused 1 time: this is the real service",
        "CONNECT api.runware.ai was refused 2 times: this is the real service",
    ]


def test_other_hosts_are_reached_as_without_a_proxy(host: str) -> None:
    status, printed, report = get(f"http://{host}/a?b=c", f"https://{host}/")
    # The second one speaks no TLS: the tunnel to it stands, and what goes through it makes no sense to the host.
    first, second = printed.splitlines()
    assert first == "GET /a?b=c HTTP/1.1 close"
    assert "SSL" in second
    assert (status, report) == (0, "")


def test_a_host_that_is_not_there_is_said_to_be_so() -> None:
    status, printed, report = get("http://127.0.0.2:1/")
    assert printed.startswith("502 127.0.0.2: ")
    assert (status, report) == (0, "")


def test_a_proxy_of_the_users_own_is_used_for_other_hosts_and_never_for_the_real_service(host: str) -> None:
    own = f"http://user:pass%20word@{host}"
    _, printed, report = get("http://elsewhere.example/", "http://im.runware.ai/", http_proxy=own, NO_PROXY="a.example")
    first, second, *_ = printed.splitlines()
    assert first.startswith("GET http://elsewhere.example/ HTTP/1.1")
    assert second.startswith("403 runware-mock exec refuses")
    assert "GET im.runware.ai" in report


def test_a_proxy_that_does_not_speak_http_is_refused() -> None:
    status, _, report = get(http_proxy="socks5://127.0.0.2:1")
    assert status == 2
    named = "the 'socks5' proxy that the environment names"
    assert report == f"runware-mock: the leak guard cannot use {named}: add --no-leak-guard\n"


def test_without_the_guard_the_environment_stays_as_it_is(host: str) -> None:
    _, printed, _ = get("http://im.runware.ai/", options=("--no-leak-guard",), http_proxy=f"http://{host}")
    assert printed.startswith("GET http://im.runware.ai/ HTTP/1.1")
