"""`runware-mock exec`: what the command is given, and what becomes of its exit status."""

import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runware_mock.cli import main

# Uploads a picture as often as its first argument says, and exits with its second one.
UPLOADS = """
import base64, json, os, sys, uuid
from urllib.error import HTTPError
from urllib.request import Request, urlopen

for _ in range(int(sys.argv[1])):
    task = {"taskType": "imageUpload", "taskUUID": str(uuid.uuid4()), "image": sys.argv[3]}
    headers = {"Authorization": "Bearer " + os.environ["RUNWARE_API_KEY"], "Content-Type": "application/json"}
    try:
        urlopen(Request(os.environ["RUNWARE_BASE_URL"], json.dumps([task]).encode(), headers)).read()
    except HTTPError as error:
        error.close()
sys.exit(int(sys.argv[2]))
"""
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def executed(*arguments: str, **variables: str) -> Result:
    names = [name for name in os.environ if name.startswith("RUNWARE_")]
    return CliRunner(env={**dict.fromkeys(names), **variables}).invoke(main, ["exec", *arguments])


def uploads(times: int, status: int = 0) -> list[str]:
    return ["--", sys.executable, "-c", UPLOADS, str(times), str(status), PICTURE]


def refused(result: Result, status: int) -> str:
    assert result.exit_code == status, result.output
    (line,) = result.stderr.splitlines()
    return line.removeprefix("runware-mock: ")


@pytest.mark.parametrize("status", [0, 3])
def test_the_status_is_that_of_the_command(status: int) -> None:
    result = executed(*uploads(1, status))
    assert (result.exit_code, result.stderr) == (status, "")


def test_the_command_finds_the_server_in_its_environment(tmp_path: Path) -> None:
    file = tmp_path / "environment.json"
    writes = f"import json, os; json.dump(dict(os.environ), open({str(file)!r}, 'w'))"
    names = ("--env", "PICTURES=ws_url", "--env", "PICTURES_KEY=api_key", "--api-key", "the-key")
    result = executed(*names, sys.executable, "-c", writes, RUNWARE_API_KEY="a-real-key")
    assert result.exit_code == 0
    given = json.loads(file.read_text())
    url = given["RUNWARE_MOCK_URL"]
    assert url.startswith("http://127.0.0.1:")
    assert given["RUNWARE_BASE_URL"] == f"{url}/v1"
    assert given["RUNWARE_WS_URL"] == given["PICTURES"] == f"{url.replace('http', 'ws')}/v1"
    assert given["RUNWARE_API_KEY"] == given["PICTURES_KEY"] == "the-key"


def test_a_plan_that_was_met_changes_nothing() -> None:
    result = executed("--faults", "http status=502", *uploads(2))
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_plan_that_was_not_met_makes_a_failure_of_a_success(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"name": "gateways", "faults": [{"kind": "http", "status": 502, "times": 2}]}))
    result = executed("--faults", str(file), *uploads(1))
    assert result.exit_code == 1
    first, second, *history = result.stderr.splitlines()
    assert first == "runware-mock: the fault plan 'gateways' was not fully met"
    assert second == "  fault 1, http: happened 1 of 2 times; 1 matching call seen"
    assert history[0] == "tasks sent to the mock:"


def test_a_plan_that_the_command_made_itself_counts_too() -> None:
    made = "from runware_mock.testing import RunwareMock; import os;"
    made += "RunwareMock(os.environ['RUNWARE_MOCK_URL'], os.environ['RUNWARE_API_KEY']).faults.plan({'kind': 'http'})"
    result = executed("--", sys.executable, "-c", made)
    assert (result.exit_code, result.stderr.count("was not fully met")) == (1, 1)


def test_a_command_that_fails_keeps_its_status_and_gets_the_report() -> None:
    result = executed("--faults", "http", *uploads(0, 7))
    assert result.exit_code == 7
    assert "was not fully met" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["no-such-command"], 127, "there is no command 'no-such-command'"),
        (["./README.md"], 126, "./README.md cannot be executed"),
        (["--env", "NAME", "true"], 2, "--env: write NAME=VALUE instead of 'NAME'"),
        (["--env", "NAME=uri", "true"], 2, "--env: 'uri' is not one of api_key, rest_url, ws_url, url"),
        (["--setting", "retention=soon", "true"], 2, "bad value for the setting retention: not a duration"),
        (["--setting", "retentoin=7d", "true"], 2, "bad value for the setting retentoin: "),
        (["--faults", "dropp", "true"], 2, "--faults: faults[0].kind: there is no fault kind 'dropp'"),
        (["--faults", "drop times=0", "true"], 2, "--faults: faults[0].times: "),
        (["--faults", "drop 'times", "true"], 2, "cannot read the plan"),
        (["--faults", "nowhere.json", "true"], 2, "cannot read a plan from nowhere.json"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, message: str
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert refused(executed(*arguments), status).startswith(message)


def test_without_a_command_the_usage_is_shown() -> None:
    result = executed("--api-key", "the-key")
    assert result.exit_code == 2
    assert "Missing argument 'COMMAND...'" in result.stderr
