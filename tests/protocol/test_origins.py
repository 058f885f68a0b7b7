"""Which pages in a developer's browser may call the upload API: a site of the world may not, by whatever name."""

import socket
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from runware_mock.storage.models import account, medium
from tests import plain
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import upload

pytestmark = pytest.mark.both_transports

FOREIGN = [
    "https://evil.example",
    "http://evil.example:8080",
    "null",
    "file://",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://evil.example@127.0.0.1.example",
    "http://10.0.0.5",
    "http://[2001:db8::1]",
    "http://test",
    "http://nottest",
    "http://[broken",
    "",
]
OWN = [
    "http://localhost:3000",
    "https://localhost",
    "http://app.localhost:5173",
    "http://127.0.0.1:3000",
    "http://127.1.2.3",
    "http://[::1]:3000",
    "http://app.test",
    "https://shop.app.test:8443",
    "HTTP://LOCALHOST:3000",
]


@pytest.fixture(scope="module")
def strict_mock() -> Iterator[RunningMock]:
    """Run a server of which nothing else is stored."""
    with running_mock() as running:
        yield running


def status_of(mock: RunningMock, transport: str, api_key: str, origin: str, host: str | None = None) -> int:
    """Return the status with which a page's upload or socket is met."""
    host = host or mock.url.removeprefix("http://")
    if transport == "rest":
        headers = {"Authorization": f"Bearer {api_key}", "Origin": origin, "Host": host}
        answer = plain.post(mock.rest_url, json=[upload(png())], headers=headers)
        if answer.status_code == 403:
            assert answer.json()["errors"][0]["code"] == "originNotAllowed"
            assert "--allow-origin" in answer.json()["errors"][0]["message"]
        return answer.status_code
    try:
        address = ("127.0.0.1", int(mock.url.rpartition(":")[2]))
        with connect(f"ws://{host}/v1", origin=Origin(origin), sock=socket.create_connection(address)):
            return 200
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_the_world_is_refused_before_anything_happens(
    strict_mock: RunningMock, transport: str, api_key: str, origin: str
) -> None:
    assert status_of(strict_mock, transport, api_key, origin) == 403
    assert strict_mock.count(medium) == strict_mock.count(account) == 0


@pytest.mark.parametrize("origin", OWN)
def test_a_page_of_this_machine_may_call(mock: RunningMock, transport: str, api_key: str, origin: str) -> None:
    assert status_of(mock, transport, api_key, origin) == 200


def test_a_name_that_was_made_to_point_here_is_no_name_of_this_machine(
    strict_mock: RunningMock, transport: str, api_key: str
) -> None:
    """DNS rebinding: the browser takes the page and the mock for one origin."""
    host = f"evil.example:{strict_mock.url.rpartition(':')[2]}"
    assert status_of(strict_mock, transport, api_key, f"http://{host}", host) == 403


def test_a_page_at_the_very_address_of_the_server_may_call(mock: RunningMock, transport: str, api_key: str) -> None:
    """As an app in a phone's emulator, for which its host is 10.0.2.2."""
    assert status_of(mock, transport, api_key, "http://10.0.2.2:8080", "10.0.2.2:8080") == 200
    assert status_of(mock, transport, api_key, "http://10.0.2.3:8080", "10.0.2.2:8080") == 403


@pytest.mark.parametrize(("cookie", "status"), [("open-sesame", 200), ("open", 403), (None, 403)])
def test_our_own_page_may_call_under_any_name_when_it_has_the_token(
    api_key: str, cookie: str | None, status: int
) -> None:
    with running_mock(control_token="open-sesame") as mock:  # noqa: S106 - a test's
        host = f"mock.ci.internal:{mock.url.rpartition(':')[2]}"
        headers = {"Authorization": f"Bearer {api_key}", "Host": host, "Origin": f"http://{host}"}
        if cookie is not None:
            headers["Cookie"] = f"runware-mock-token={cookie}"
        assert plain.post(mock.rest_url, json=[upload(png())], headers=headers).status_code == status
        headers["Origin"] = "http://another.ci.internal"
        assert plain.post(mock.rest_url, json=[upload(png())], headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("allowed", "origin", "status"),
    [
        ("https://app.example", "https://app.example", 200),
        ("https://a.example,https://app.example", "https://app.example", 200),
        ("https://app.example", "http://app.example", 403),
        ("https://app.example", "https://app.example:444", 403),
        ("null", "null", 200),
        ("*", "https://anything.example", 200),
    ],
)
def test_other_pages_are_let_in_by_the_setting(
    transport: str, api_key: str, allowed: str, origin: str, status: int
) -> None:
    with running_mock(allow_origin=allowed) as mock:
        assert status_of(mock, transport, api_key, origin) == status


def test_a_page_cannot_go_around_it_by_a_request_that_asks_for_no_leave(strict_mock: RunningMock) -> None:
    """A form, or text/plain: browsers send these without a preflight."""
    task = f'[{{"taskType":"authentication","apiKey":"{"k" * 32}"}}]'
    headers = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    assert plain.post(strict_mock.rest_url, content=task, headers=headers).status_code == 403
    assert strict_mock.count(account) == 0
