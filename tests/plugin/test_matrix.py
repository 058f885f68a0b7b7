"""The resilience matrix finds what an application does wrong, and tells what it cannot judge."""

import json
import re
from html import unescape
from pathlib import Path

import pytest

from runware_mock.faults.kinds import FAULT, KINDS
from runware_mock.matrix.cells import Cell, chosen_kinds

EXAMPLE = Path(__file__).parents[1] / "examples" / "socket_application.py"
# The three bugs, each by the fault that shows it at the task that has it.
PLANTED = ["doubled drop 1", "lost reset 2", "hung silent 3"]
PROJECT = """
import base64
import pytest
from socket_application import BuggySocketApplication, SocketApplication

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

def used(application):
    image_uuid = application.upload(PICTURE)
    application.keep(PICTURE)
    assert application.describe(image_uuid)
    application.close()

def test_mended(runware_mock):
    used(SocketApplication(runware_mock.env()))

def test_buggy(runware_mock):
    used(BuggySocketApplication(runware_mock.env()))
"""
UPLOADS = """
import os
import app
import pytest

def test_uploads(runware_mock):
    assert app.upload(runware_mock)["data"]
"""


@pytest.fixture
def sockets(project: pytest.Pytester) -> pytest.Pytester:
    """A project with the example application, with and without its bugs."""
    project.makepyfile(socket_application=EXAMPLE.read_text(encoding="utf-8"), test_sockets=PROJECT)
    return project


def matrix(project: pytest.Pytester, *options: str, kinds: str = "drop,http") -> pytest.RunResult:
    # Where an answer never comes the application waits 3 s for it: by default, that leaves a busy machine 2 s more.
    given = (f"--runware-mock-matrix={kinds}", "--runware-mock-matrix-json=m.json", "--runware-mock-matrix-limit=20s")
    return project.runpytest_subprocess(*given, *options)


def written(project: pytest.Pytester) -> dict[str, dict[str, str]]:
    """Return the verdicts in the JSON file by test: cell -> verdict."""
    document = json.loads((project.path / "m.json").read_text())
    return {
        test["test"].rpartition("::")[2]: {
            f"{cell['kind']} {cell['position']}": cell["verdict"] for cell in test["cells"]
        }
        for test in document["tests"]
    }


@pytest.mark.timeout(600)
def test_it_finds_the_three_bugs_and_nothing_in_the_mended_application(sockets: pytest.Pytester) -> None:
    result = matrix(sockets, "-n", "2", kinds="all")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=2)
    for line in PLANTED:
        result.stdout.fnmatch_lines([f"{line} test_sockets.py::test_buggy"])
    found = written(sockets)
    assert set(found["test_mended"].values()) == {"survived", "failed"}
    assert found["test_mended"]["refuse_authentication 1"] == "failed"
    # Every kind that can happen over a WebSocket, at each of the tasks.
    per_task = {kind for kind, fault in KINDS.items() if fault.point == "task" and "ws" in fault.transports}
    for kind in per_task - {"source", "answer"}:
        assert {f"{kind} {number}" for number in (1, 2, 3)} <= set(found["test_buggy"]), kind


def test_the_page_has_the_journal_and_a_test_that_fails_as_long_as_the_cell_is_bad(sockets: pytest.Pytester) -> None:
    matrix(sockets, "--runware-mock-matrix-html=m.html", "-k", "buggy", kinds="drop,reset")
    page = (sockets.path / "m.html").read_text()
    (doubled, lost) = (unescape(text) for text in re.findall("<pre>(.*?)</pre>", page, re.DOTALL))
    assert page.count("<td>imageUpload</td>") == 3
    head = PROJECT.partition("def test_mended")[0]
    sockets.makepyfile(test_doubled=head + doubled, test_lost=head + lost)
    result = sockets.runpytest_subprocess("test_doubled.py", "test_lost.py")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*assert done.count('imageUpload') == 1", "*assert done.count('mediaStorage') == 1"])
    for file in ("test_doubled.py", "test_lost.py"):
        text = (sockets.path / file).read_text()
        (sockets.path / file).write_text(text.replace("used(Buggy", "used("))
    sockets.runpytest_subprocess("test_doubled.py", "test_lost.py").assert_outcomes(passed=2)


def test_a_bad_cell_that_was_accepted_fails_nothing_and_one_that_is_gone_is_told(sockets: pytest.Pytester) -> None:
    file = sockets.path / "accepted.txt"
    known = "doubled drop 1 test_sockets.py::test_buggy"
    file.write_text(f"# known\n\n{known}\nlost drop 2 test_sockets.py::test_buggy\n")
    result = matrix(sockets, "--runware-mock-matrix-accepted", str(file), "-k", "buggy", kinds="drop")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "accepted, but no longer found: lost drop 2 *",
            "3 cells of 1 test: 1 survived, 1 failed, 1 doubled (1 accepted)",
        ]
    )


def test_what_cannot_be_judged_is_told(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nfilterwarnings = error\naddopts = -q --strict-markers\n")
    project.makepyfile(
        UPLOADS
        + """
def test_fails(runware_mock):
    app.upload(runware_mock)
    assert 1 == 2

def test_is_flaky(runware_mock, tmp_path_factory):
    marker = os.path.join(os.path.dirname(__file__), "was here")
    for _ in range(1 + os.path.exists(marker)):
        app.upload(runware_mock)
    open(marker, "w").close()

def test_plans(runware_mock):
    runware_mock.faults.plan({"kind": "http"})
    with pytest.raises(ValueError):
        app.upload(runware_mock)

def test_sends_nothing(runware_mock):
    pass

def test_uses_no_mock():
    pass
"""
    )
    result = matrix(project, kinds="http")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*::test_uploads",
            "  http  failed",
            "*::test_fails",
            "  fails without any fault: AssertionError: assert 1 == 2",
            "*::test_is_flaky",
            "  is flaky: imageUpload: 1 succeeded (1 different) at first, 2 succeeded (1 different) in a second run *",
            "*::test_plans",
            "  plans faults of its own",
            "*::test_sends_nothing",
            "  sends no task that could meet these kinds of faults",
            "1 cell of 5 tests: 1 failed",
        ],
        consecutive=True,
    )


def test_an_application_that_ends_or_trips_has_crashed_and_one_that_the_mock_contradicts_has_lost(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(
        tripping="""
        import app, os

        def trips(mock):
            app.upload(mock)["data"][0]["imageUUID"]

        def ends(mock):
            if "errors" in app.upload(mock):
                os._exit(3)

        def is_content(mock):
            app.upload(mock)
        """
    )
    project.makepyfile(
        """
        import tripping

        def test_trips(runware_mock):
            tripping.trips(runware_mock)

        def test_ends(runware_mock):
            tripping.ends(runware_mock)

        def test_is_content(runware_mock):
            tripping.is_content(runware_mock)
            runware_mock.assert_uploaded(times=1)
        """
    )
    result = matrix(project, kinds="error")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    cells = {test: cells["error 1"] for test, cells in written(project).items()}
    assert cells == {"test_trips": "crashed", "test_ends": "crashed", "test_is_content": "lost"}
    result.stdout.fnmatch_lines(["  IndexError: list index out of range", "  the process ended with status 3"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "--runware-mock-matrix=dropp",
            "*--runware-mock-matrix: there is no fault kind 'dropp'; did you mean drop[?]*",
        ),
        ("--runware-mock-matrix-limit=5", "*--runware-mock-matrix-limit: 5 has no unit: write 5s*"),
        ("--runware-mock-matrix-limit=2h", "*--runware-mock-matrix-limit: should be more than 0s and at most 1h*"),
        (
            "--runware-mock-matrix-json=no/m.json",
            "*--runware-mock-matrix-json: */no/m.json is not a file that can be *",
        ),
        ("--runware-mock-matrix-accepted=nowhere", "*--runware-mock-matrix-accepted: *No such file*"),
        (
            "--runware-mock-matrix-accepted=bad.txt",
            "*--runware-mock-matrix-accepted: bad.txt, line 2: should be VERDICT *",
        ),
    ],
)
def test_a_bad_option_is_told_before_anything_runs(project: pytest.Pytester, option: str, message: str) -> None:
    project.makefile(".txt", bad="# a line\nlost drop test.py::test")
    project.makepyfile(UPLOADS)
    result = project.runpytest_subprocess("--runware-mock-matrix", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_a_path_that_stands_where_kinds_do_is_told(project: pytest.Pytester) -> None:
    project.makepyfile(UPLOADS)
    result = project.runpytest_subprocess("--runware-mock-matrix", "test_it.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no fault kind 'test_it.py'*or give paths before it)"])


def test_the_marker_plans_faults_before_the_test(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import app, pytest

        @pytest.mark.runware_mock_faults({"kind": "error", "code": "invalidImage"})
        def test_refused(runware_mock):
            assert app.upload(runware_mock)["errors"]

        @pytest.mark.runware_mock_faults({"kind": "error", "code": "invalidImage", "nth": 2})
        def test_is_not_met(runware_mock):
            assert app.upload(runware_mock)["data"]
        """
    )
    project.runpytest("--strict-markers").assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize("kind", chosen_kinds("all"))
def test_each_kind_makes_a_fault_that_can_be_planned_at_a_position(kind: str) -> None:
    (fault,) = Cell(kind, 3).faults()
    assert FAULT.validate_python(fault).nth == 3
