"""Every flag has a RUNWARE_MOCK_* twin; a flag beats a variable, which beats the default."""

from pathlib import Path

import pytest

from runware_mock.cli import main
from runware_mock.settings import Settings
from tests.running import mock_process, run_command

# setting -> value by variable, value by flag; each is printed as it is written here.
SETTINGS = {
    "retention": ("2h", "3h"),
    "purge_every": ("5m", "6m"),
    "public_url": ("https://a.example", "https://b.example"),
    "max_message_bytes": ("1000000B", "2MiB"),
    "threads": ("2", "3"),
    "formats": ("png", "jpeg,png"),
    "fetch": ("off", "public"),
    "idle_timeout": ("45s", "50s"),
    "log_level": ("warning", "error"),
}

# setting, value, what is wrong with it
BAD_VALUES = [
    ("port", "many", "valid integer"),
    ("port", "65536", "less than or equal to 65535"),
    ("retention", "soon", "not a duration"),
    ("retention", "30", "30 has no unit: write 30s, 30m or 30d"),
    ("retention", "-1d", "not a duration"),
    ("purge_every", "0", "greater than 0"),
    ("purge_every", "36501d", "more than 36500d"),
    ("fetch_timeout", "2d", "less than or equal to 1 day"),
    ("max_message_bytes", "2 barrels", "not a size"),
    ("max_message_bytes", "256", "256 has no unit: write 256MiB, 256KB or 256B"),
    ("max_message_bytes", "1B", "greater than or equal to 1024"),
    ("threads", "-1", "greater than or equal to 0"),
    ("formats", "png,tiff", "should be 'jpeg', 'png', 'webp', 'bmp' or 'gif'"),
    ("uuid", "v5", "'v4' or 'any'"),
    ("public_url", "example.com", "not an address (write http://"),
    ("content_url", "pictures", "s3://BUCKET/PREFIX"),
    ("content_url", "https://s3.example/pictures", "s3://BUCKET/PREFIX"),
    ("content_url", "s3:///prefix", "s3://BUCKET/PREFIX"),
    ("content_url", "s3://pictures?session_token=x", "at most"),
    ("content_url", "file://pictures", "file:///FOLDER"),
    ("content_timeout", "0s", "greater than 0"),
    ("url_map", "https://a.example/x.png=/no/such/file", "'/no/such/file' is not a file"),
    ("log_level", "loud", "'debug'"),
]


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    return f"RUNWARE_MOCK_{name.upper()}"


def test_every_setting_is_a_flag_of_serve() -> None:
    command = main.commands["serve"]
    flags = {param.opts[0] for param in command.params}
    assert flags == {flag(name) for name in Settings.model_fields}


@pytest.mark.parametrize("name", ["migrate", "purge"])
def test_a_database_in_memory_is_left_to_its_server(name: str) -> None:
    ended = run_command(name, RUNWARE_MOCK_IN_MEMORY="1")
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert "RUNWARE_MOCK_IN_MEMORY is set" in line


@pytest.mark.full
def test_a_variable_beats_the_default_and_a_flag_beats_the_variable(tmp_path: Path) -> None:
    by_variable = {variable(name): value for name, (value, _) in SETTINGS.items()}
    by_flag = [part for name, (_, value) in SETTINGS.items() for part in (flag(name), value)]
    with mock_process(tmp_path, **by_variable) as server:
        printed = server.started
    for name, (value, _) in SETTINGS.items():
        assert f"{flag(name)} {value}\n" in printed
    with mock_process(tmp_path, *by_flag, **by_variable) as server:
        printed = server.started
    for name, (_, value) in SETTINGS.items():
        assert f"{flag(name)} {value}\n" in printed


@pytest.mark.full
def test_what_is_left_at_its_default_is_not_printed(tmp_path: Path) -> None:
    with mock_process(tmp_path) as server:
        *settings, _ = server.started
    # Those that the test itself has set.
    assert [line.split()[0] for line in settings] == ["--port", "--data-dir", "--log-level", "--ready-file"]


@pytest.mark.full
def test_a_switch_is_set_by_its_variable_and_unset_by_its_flag(tmp_path: Path) -> None:
    with mock_process(tmp_path, RUNWARE_MOCK_DURABLE="yes") as server:
        assert "--durable\n" in server.started
    with mock_process(tmp_path, "--no-durable", RUNWARE_MOCK_DURABLE="yes") as server:
        assert "--durable\n" not in server.started


@pytest.mark.parametrize(("name", "value", "problem"), BAD_VALUES)
@pytest.mark.parametrize("given_by", ["flag", "variable"])
def test_a_bad_value_refuses_to_start_in_one_line(name: str, value: str, problem: str, given_by: str) -> None:
    if given_by == "flag":
        ended = run_command("serve", f"{flag(name)}={value}")
    else:
        ended = run_command("serve", **{variable(name): value})
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"runware-mock: bad value for {flag(name)} (or {variable(name)}): ")
    assert problem in line


def test_a_switch_that_is_neither_on_nor_off_refuses_to_start_in_one_line() -> None:
    ended = run_command("serve", RUNWARE_MOCK_IN_MEMORY="perhaps")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("runware-mock: bad value for --in-memory (or RUNWARE_MOCK_IN_MEMORY): ")


def test_an_empty_api_key_is_refused_rather_than_locking_everybody_out() -> None:
    ended = run_command("serve", "--api-key", "")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("runware-mock: bad value for --api-key (or RUNWARE_MOCK_API_KEY): ")
