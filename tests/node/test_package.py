"""The npm package `runware-mock`: what it contains, its types, and its helpers under real test runners."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runware_mock.version import __version__
from tests import plain
from tests.node.conftest import CLIENT, RUN_LIMIT_S, Application, environment, node
from tests.running import RunningMock

pytestmark = pytest.mark.timeout(240)

MODULES = ("command", "control", "index", "lifeline", "mock", "openapi", "reports", "runners", "server", "wire")
HELPERS = ("global-setup", "jest", "playwright")


def outcomes(report: Path) -> dict[str, list[tuple[str, str, str]]]:
    """Return name, status and messages of each test by the name of its file; Vitest and Jest report alike."""
    results: list[dict[str, Any]] = json.loads(report.read_text())["testResults"]
    return {
        Path(file["name"]).name: [
            (one["fullName"], one["status"], "\n".join(one["failureMessages"])) for one in file["assertionResults"]
        ]
        for file in results
    }


def assert_each_test_fails_for_what_the_mock_has_seen(failing: list[tuple[str, str, str]]) -> None:
    """The tests themselves expect nothing: the helper alone fails them."""
    assert [status for _, status, _ in failing] == ["failed"] * len(failing)
    told = "\n".join(messages for _, _, messages in failing)
    assert told.count("the fault plan 'twice' was not fully met\n  fault 1, http: happened 0 of 2 times") == 1
    assert "the rule 'cats' was not fully used\n  answer 1: given 0 of 1 time; 0 matching calls seen" in told


def test_the_package_holds_what_was_built_and_no_more(application: Application) -> None:
    built = {f"dist/{name}{ending}" for name in MODULES + HELPERS for ending in (".js", ".d.ts")}
    assert application.packed == {"package.json", "README.md", "dist/vitest.mjs", "dist/vitest.d.mts", *built}
    described = json.loads((CLIENT / "package.json").read_text())
    assert described["version"] == __version__
    assert "dependencies" not in described


def test_the_types_are_those_of_the_servers_document(application: Application, mock: RunningMock) -> None:
    document, types = application.folder / "openapi.json", application.folder / "openapi.ts"
    document.write_text(plain.get(f"{mock.url}/openapi.json").text)
    done = node(application.package, "scripts/types.mjs", str(document), str(types))
    assert done.returncode == 0, done.stderr
    assert types.read_text() == (CLIENT / "src" / "openapi.ts").read_text(), "write them: see clients/node/README.md"


def test_an_application_is_checked_against_the_packages_types(application: Application) -> None:
    done = application.run("typescript/bin/tsc", "--project", "tests")
    assert done.returncode == 0, done.stdout


def test_vitest_runs_tests_with_an_account_each(application: Application) -> None:
    report = application.folder / "vitest.json"
    output = ("--reporter=json", f"--outputFile={report}")
    done = application.run("vitest/vitest.mjs", "run", *output, inside="tests/vitest")
    assert report.exists(), done.stdout + done.stderr
    found = outcomes(report)
    assert_each_test_fails_for_what_the_mock_has_seen(found.pop("failing.test.ts"))
    assert found.keys() == {"ai-sdk.test.ts", "upload.test.ts"}
    assert [one for tests in found.values() for one in tests if one[1] != "passed"] == []


def test_jest_runs_tests_with_an_account_each(application: Application) -> None:
    report = application.folder / "jest.json"
    done = application.run("jest/bin/jest.js", "--json", f"--outputFile={report}", inside="tests/jest")
    assert report.exists(), done.stdout + done.stderr
    found = outcomes(report)
    assert [one for one in found["upload.test.js"] if one[1] != "passed"] == []
    assert_each_test_fails_for_what_the_mock_has_seen(found["failing.test.js"])


def test_playwright_runs_tests_with_an_account_each(application: Application) -> None:
    done = application.run("@playwright/test/cli.js", "test", "--reporter=json", inside="tests/playwright")
    found = {
        Path(suite["file"]).name: [
            (one["title"], result["status"], "\n".join(error["message"] for error in result["errors"]))
            for one in suite["specs"]
            for result in one["tests"][0]["results"]
        ]
        for suite in json.loads(done.stdout)["suites"]
    }
    assert [one for one in found["upload.spec.ts"] if one[1] != "passed"] == []
    assert_each_test_fails_for_what_the_mock_has_seen(found["failing.spec.ts"])


def test_nodes_own_runner_uses_the_server_of_exec(application: Application) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runware_mock", "exec", "--", "node", "--test", "--test-reporter=tap"],
        cwd=application.folder / "tests" / "builtin",
        env=environment(),
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT_S,
        check=False,
    )
    assert "\n# pass 2\n# fail 1\n" in done.stdout, done.stdout + done.stderr
    assert "the fault plan 'twice' was not fully met" in done.stdout
