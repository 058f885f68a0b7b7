"""`runware-mock exec --matrix`: the resilience matrix of any program."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import STOPPED_WITHIN_S, clean_environment, command, run_command

# Uploads a picture. If there is no answer, it tries again with another taskUUID; its argument says how it fails else.
PROGRAM = """
import base64, json, os, signal, sys, uuid
from urllib.error import HTTPError
from urllib.request import Request, urlopen

IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HEADERS = {"Authorization": "Bearer " + os.environ["RUNWARE_API_KEY"], "Content-Type": "application/json"}
for _ in range(2):
    task = {"taskType": "imageUpload", "taskUUID": str(uuid.uuid4()), "image": IMAGE}
    try:
        urlopen(Request(os.environ["RUNWARE_BASE_URL"], json.dumps([task]).encode(), HEADERS)).read()
        break
    except HTTPError as error:
        match sys.argv[1]:
            case "says so":
                sys.exit(f"the service answered {error.code}")
            case "hopes":
                sys.exit()
            case "dies":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "waits":
                signal.pause()
    except OSError:
        pass
"""


def matrix(behaviour: str, *options: str, kinds: str = "drop,http") -> subprocess.CompletedProcess[str]:
    program = ("--", sys.executable, "-c", PROGRAM, behaviour)
    return run_command("exec", "--matrix", kinds, "--matrix-limit", "10s", *options, *program)


@pytest.mark.parametrize(
    ("behaviour", "judged"), [("says so", "failed"), ("hopes", "lost"), ("dies", "crashed"), ("waits", "hung")]
)
def test_each_verdict_is_found(tmp_path: Path, behaviour: str, judged: str) -> None:
    file = tmp_path / "matrix.json"
    page = tmp_path / "matrix.html"
    done = matrix(behaviour, "--matrix-json", str(file), "--matrix-html", str(page), "--matrix-jobs", "2")
    assert done.returncode == 1, done.stderr
    assert "runware-mock exec --faults &#39;drop nth=1&#39; -- " in page.read_text()
    (subject,) = json.loads(file.read_text())["tests"]
    assert {cell["kind"]: cell["verdict"] for cell in subject["cells"]} == {"drop": "doubled", "http": judged}
    assert (
        "  imageUpload: 1 succeeded (1 different) without the fault, 2 succeeded (1 different) with it" in done.stdout
    )
    assert done.stdout.endswith(f"2 cells of 1 command: {', '.join(sorted(['1 doubled', f'1 {judged}'], key=order))}\n")


def order(found: str) -> int:
    return ["failed", "lost", "doubled", "hung", "crashed"].index(found[2:])


def test_accepted_cells_make_no_failure(tmp_path: Path) -> None:
    found = matrix("says so", kinds="drop").stdout
    (line,) = [line for line in found.splitlines() if line.startswith("doubled drop 1 ")]
    file = tmp_path / "accepted.txt"
    file.write_text(line)
    done = matrix("says so", "--matrix-accepted", str(file), kinds="drop")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("1 cell of 1 command: 1 doubled (1 accepted)\n")


@pytest.mark.parametrize(
    ("program", "reason"),
    [("false", "fails without any fault: status 1"), ("true", "sends no task that could meet these kinds of faults")],
)
def test_what_cannot_be_judged_is_told(program: str, reason: str) -> None:
    done = run_command("exec", "--matrix", "--", program)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [program, f"  {reason}", "0 cells of 1 command: none"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--matrix", "dropp"), "--matrix: there is no fault kind 'dropp'; did you mean drop?"),
        (("--matrix", "--matrix-limit", "5"), "--matrix-limit: 5 has no unit"),
        (("--matrix", "--matrix-accepted", "nowhere"), "--matrix-accepted: "),
        (("--matrix", "--faults", "drop"), "--matrix plans the faults itself: leave out --faults"),
    ],
)
def test_a_bad_option_is_refused_in_one_line(options: tuple[str, ...], message: str) -> None:
    done = run_command("exec", *options, "--", "true")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"runware-mock: {message}")


def test_a_signal_ends_the_matrix_and_what_it_runs() -> None:
    waits = "import signal; print('here', flush=True); signal.pause()"
    arguments = command("exec", "--matrix", "--", sys.executable, "-c", waits)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=clean_environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOPPED_WITHIN_S) == 128 + signal.SIGTERM
        # Ends once nobody is left who could write.
        assert process.stdout.read() == ""
