"""Who may call the control API, and how loudly it says no."""

import re
import socket
from pathlib import Path

import pytest

from runware_mock.images.guard import FetchFailed
from runware_mock.storage.models import delivery, medium
from runware_mock.webhooks import deliver_due
from tests import plain
from tests.control.calling import Calls, calling
from tests.running import RunningMock, mock_process, running_mock
from tests.talking import Talker, talking, upload
from tests.tasks.asking import inference


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"Origin": "https://evil.example"}, "Origin"),
        ({"Origin": "null"}, "Origin"),
        ({"Origin": "http://[broken"}, "Origin"),
        ({"Origin": ""}, "Origin"),
        ({"Origin": "http://127.0.0.1:1"}, "Origin"),
        ({"Host": "evil.example"}, "Host"),
        ({"Host": "127.0.0.1.evil.example:80"}, "Host"),
        ({"Host": "10.0.0.1"}, "Host"),
        ({"Host": "[broken"}, "Host"),
        ({"Host": ""}, "Host"),
        ({"Host": "127.0.0.1:80:80"}, "Host"),
        ({"Host": "[1:2:3]"}, "Host"),
        ({"Host": "127.0.0.1:"}, "Host"),
        ({"Host": "evil.example@127.0.0.1"}, "Host"),
        ({"Host": "127.0.0.1/evil.example"}, "Host"),
        ({"Host": "127.0.0.1, evil.example"}, "Host"),
    ],
)
def test_a_foreign_page_or_name_is_refused(control: Calls, headers: dict[str, str], field: str) -> None:
    for method, path in (("GET", "/media"), ("POST", "/reset"), ("GET", "/nowhere")):
        status, error = control.refused(method, path, headers=headers)
        assert (status, error["code"], error["field"]) == (403, "forbidden", field)


@pytest.mark.parametrize("host", ["localhost", "mock.localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_every_name_of_this_machine_is_accepted(mock: RunningMock, host: str) -> None:
    port = mock.url.rpartition(":")[2]
    headers = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}"}
    assert plain.get(f"{mock.url}/_mock/clock", headers=headers).status_code == 200


def test_a_token_opens_the_api_to_whoever_has_it() -> None:
    with running_mock(control_token="open sesame") as mock, calling(mock, None) as control:  # noqa: S106 - a test's
        for headers in ({}, {"X-Control-Token": "open"}, {"X-Control-Token": ""}):
            status, error = control.refused("GET", "/clock", headers=headers)
            assert (status, error["field"]) == (403, "x-control-token")
        right = {"X-Control-Token": "open sesame", "Host": "mock.ci.internal", "Origin": "https://dashboard.example"}
        assert control.client.get("/clock", headers=right).status_code == 200
        assert "open sesame" not in control.client.get("/status", headers=right).text


@pytest.mark.full
def test_a_server_that_others_can_reach_prints_a_link_with_a_token_for_them(tmp_path: Path) -> None:
    everywhere = {"RUNWARE_MOCK_HOST": "0.0.0.0"}  # noqa: S104 - that is the point
    tokens = set()
    for _ in range(2):
        with mock_process(tmp_path, **everywhere) as process:
            (line,) = [line for line in process.started if "?token=" in line]
            assert line.startswith(f"Page (from another machine, use this machine's address): {process.url}/?token=")
            tokens.add(token := line.strip().partition("?token=")[2])
            assert plain.get(f"{process.url}/_mock/clock").status_code == 200, "from this machine it needs none"
            assert _from_outside(process.url) in (403, None)
            assert _from_outside(process.url, token + "x") in (403, None)
            assert _from_outside(process.url, token) in (200, None)
    assert len(tokens) == 2, "each start has its own"
    with mock_process(tmp_path, "--control-token", "open sesame", **everywhere) as process:
        assert not any("?token=" in line for line in process.started)
        assert "--control-token (hidden)\n" in process.started


def _from_outside(url: str, token: str = "") -> int | None:
    """Call under an address that is not loopback; None where the machine has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing: it only asks which address would be used.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        outside = probe.getsockname()[0]
    headers = {"X-Control-Token": token} if token else {}
    return plain.get(f"http://{outside}:{url.rpartition(':')[2]}/_mock/clock", headers=headers).status_code


@pytest.mark.parametrize("path", ["/_mock/reset", "/_mock/clock/freeze", "/_mock/purge?account=1"])
def test_a_webhook_cannot_drive_the_control_api(api_key: str, transport: str, path: str) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker, calling(mock, None) as control:
        clock = control.get("/clock")
        talker.ask(inference(webhookURL=mock.url + path))
        with pytest.raises(FetchFailed, match="The server answered 403"):
            mock.services.send("POST", mock.url + path, "application/json", b"{}", 5)
        deliver_due(mock.services)
        assert mock.count(delivery) == 1, "it was refused, and will be tried again"
        assert control.get("/clock") == clock
        assert mock.count(medium) == 1


@pytest.mark.parametrize("path", ["/_mock/export", "/ui/journal", "/"])
def test_an_image_url_cannot_read_the_control_api_or_the_page(mock: RunningMock, talker: Talker, path: str) -> None:
    error = talker.ask(upload(mock.url + path)).error
    assert (error["code"], "answered 40" in error["message"]) == ("failedToTransferImage", True)


def test_an_unknown_path_is_a_loud_404_that_knows_better(control: Calls) -> None:
    status, error = control.refused("POST", "/clock/advnce", json={})
    assert (status, error["code"]) == (404, "notFound")
    assert error["message"] == "there is no path /_mock/clock/advnce; did you mean /_mock/clock/advance?"
    _, error = control.refused("GET", "/weather/in/paris/tomorrow")
    assert "; there are " in error["message"]
    assert "/_mock/journal/wait" in error["message"]
    assert control.refused("GET", "")[0] == 404


def test_a_wrong_method_is_named(control: Calls) -> None:
    status, error = control.refused("PUT", "/clock")
    assert (status, error["field"]) == (405, "method")


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"5", b"\xff"])
def test_a_body_that_is_no_object_is_refused(control: Calls, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    status, error = control.refused("POST", "/clock/advance", content=body, headers=headers)
    assert status == 400
    assert error["field"]


def test_a_body_without_a_content_type_is_read_as_json(control: Calls) -> None:
    for path, body in (("/clock/freeze", b""), ("/faults", b'{"faults": [{"kind": "latency", "delay": "1ms"}]}')):
        assert "content-type" not in control.client.build_request("POST", path, content=body).headers
        assert control.client.post(path, content=body).is_success


@pytest.mark.parametrize("header", ["Bearer", "bearer", "a-key-without-a-scheme"])
def test_what_names_no_key_does_not_stand_for_all_accounts(mock: RunningMock, header: str) -> None:
    with calling(mock, None) as control:
        status, error = control.refused("POST", "/reset", json={}, headers={"Authorization": header})
    assert (status, error["field"]) == (401, "Authorization")


def test_a_misspelt_scope_does_not_reset_everything(control: Calls) -> None:
    status, error = control.refused("POST", "/reset", json={"scop": "media"})
    assert (status, error["field"], "did you mean scope?" in error["message"]) == (400, "scop", True)


def test_no_refusal_shows_a_key_of_the_real_service(control: Calls) -> None:
    real = "abcDEF0123456789abcDEF0123456789"
    for fault in ({"kind": "drop", real: 1}, {"kind": real}, {"kind": "drop", "hang_up": f"apiKey = {real}"}):
        _, error = control.refused("POST", "/faults", json={"faults": [fault]})
        assert real[:20] not in str(error)


def test_a_key_that_the_api_refuses_is_refused_here(mock: RunningMock) -> None:
    with running_mock(api_key=("only-this-one",)) as strict, calling(strict, "not-this-one") as control:
        status, error = control.refused("GET", "/clock")
    assert (status, error["field"]) == (401, "account")
    assert mock.url != strict.url


def test_every_endpoint_is_described_on_a_page_that_asks_no_other_host(mock: RunningMock) -> None:
    document = plain.get(f"{mock.url}/openapi.json").json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["description"].endswith("."), path
    assert len(document["paths"]) > 30
    page = plain.get(f"{mock.url}/docs")
    files = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert len(files) >= 3
    for file in files:
        assert plain.get(mock.url + file).status_code == 200
    assert not re.findall(r"https?://", page.text)


def test_every_reply_says_that_it_is_the_mocks(control: Calls) -> None:
    assert control.client.get("/clock").headers["X-Runware-Mock"]


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_server_on_every_ipv6_address_knows_this_machine_over_ipv4_too(host: str) -> None:
    with running_mock(host="::") as mock:
        port = mock.url.rpartition(":")[2]
        assert plain.get(f"http://{host}:{port}/_mock/status").status_code == 200
