"""`runware-mock doctor`: each SDK's line, whether it leads here, and the traps."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from runware_mock.cli import main
from runware_mock.commands.doctor import SDKS
from tests.control.stranger import stranger_running
from tests.process.ports import free_port
from tests.running import RunningMock, running_mock

LONG_KEY = "a-key-for-tests-0123456789abcdef"


def diagnosed(url: str, *arguments: str) -> Result:
    return CliRunner(env={"RUNWARE_API_KEY": None}).invoke(main, ["doctor", "--url", url, *arguments])


def report(url: str, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(diagnosed(url, *arguments, "--json").stdout)
    return found


def warned(url: str, text: str, api_key: str | None = None) -> set[str]:
    return {sdk.name for sdk in SDKS for warning in sdk.warnings(url, api_key) if text in warning}


def test_a_server_that_runs_is_reachable_both_ways(mock: RunningMock) -> None:
    ended = diagnosed(mock.url)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[:4] == [
        f"runware-mock on {mock.url}",
        "",
        "REST: reachable",
        "WebSocket: reachable",
    ]


@pytest.mark.parametrize(
    "line",
    [
        'Runware(api_key=KEY, url="{ws}")',
        'Runware(api_key=KEY, ws_base_url="{ws}")',
        'Runware(api_key=KEY, transport="rest", http_base_url="{rest}")',
        'new Runware({ apiKey: KEY, url: "{ws}" })',
        'createClient({ apiKey: KEY, wsBaseUrl: "{ws}", httpBaseUrl: "{rest}" })',
        'createRunware({ apiKey: KEY, baseURL: "{rest}" })',
        "export RUNWARE_CUSTOM_ENDPOINT={rest}",
    ],
)
def test_each_sdk_is_told_with_the_address_of_this_server(mock: RunningMock, line: str) -> None:
    assert line.replace("{ws}", mock.ws_url).replace("{rest}", mock.rest_url) in diagnosed(mock.url).stdout


@pytest.mark.parametrize("form", ["{host}/", "{host}/v1", "{host}/v1/"])
@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_any_address_of_the_server_will_do(mock: RunningMock, scheme: str, form: str) -> None:
    url = scheme + form.replace("{host}", mock.url.removeprefix("http"))
    assert report(url)["url"] == mock.url


def test_a_server_that_is_not_there_fails_with_the_reason() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = diagnosed(url)
    assert (ended.exit_code, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"runware-mock: {url}/v1 cannot be reached: [Errno ")
    assert line.endswith("(start one with `runware-mock serve`, or give the address of one with --url)")
    assert all("cannot be reached: [Errno " in check["problem"] for check in report(url)["checks"])
    # It may run with a certificate that is not trusted.
    over_tls = diagnosed(url.replace("http:", "https:")).stdout
    assert "to trust its certificate" in over_tls
    assert SDKS[0].name not in over_tls


def test_something_else_that_answers_is_told_apart() -> None:
    with stranger_running() as url:
        assert diagnosed(url).stderr == "runware-mock: not reachable by REST and WebSocket\n"
        problems = {check["transport"]: check["problem"] for check in report(url)["checks"]}
    assert problems["REST"] == f"something else answers at {url}/v1"
    assert "HTTP" in problems["WebSocket"]


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "http://[::1", "nonsense"])
def test_what_is_no_url_is_a_failed_check(url: str) -> None:
    assert diagnosed(url).exit_code == 1


def test_a_server_that_takes_one_key_alone_is_asked_with_it() -> None:
    with running_mock(api_key=(LONG_KEY,)) as guarded:
        assert all("authentication is refused: " in check["problem"] for check in report(guarded.url)["checks"])
        assert diagnosed(guarded.url, "--account", LONG_KEY).exit_code == 0


def test_the_key_is_never_shown(mock: RunningMock) -> None:
    assert LONG_KEY not in diagnosed(mock.url, "--account", LONG_KEY).output


# Traps


@pytest.mark.parametrize("url", ["ws://localhost:8080", "http://localhost:8080", "ws://localhost:8080/v1"])
def test_rule_33_two_sdks_take_one_address_for_a_test_of_their_own(url: str) -> None:
    assert warned(url, "write 127.0.0.1") == {"PyPI runware 0.5", "npm @runware/sdk-js 1.3"}


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:8081"])
def test_rule_33_other_addresses_are_no_trap(url: str) -> None:
    assert warned(url, "write 127.0.0.1") == set()


@pytest.mark.parametrize(
    ("key_chars", "names"),
    [
        (24, {"ComfyUI-Runware 1.9", "npm runware-mcp"}),
        (25, {"npm runware-mcp"}),
        (31, {"npm runware-mcp"}),
        (32, set()),
    ],
)
def test_rule_34_two_clients_take_no_short_keys(key_chars: int, names: set[str]) -> None:
    assert warned("http://127.0.0.1:8080", "accepts no key under", "k" * key_chars) == names


def test_rule_35_what_the_url_does_not_catch_is_told() -> None:
    url = "http://127.0.0.1:8080"
    assert warned(url, "streamed textInference") == {"PyPI runware 0.5"}
    schemas = {"PyPI runware-sdk 1.8", "npm @runware/sdk 1.6", "npm @runware/mcp"}
    assert warned(url, "schemas.runware.ai") == schemas
