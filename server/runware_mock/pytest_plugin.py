"""Fixtures for tests of applications that upload to Runware: each test has an account of its own on a shared server.

Every pytest run in an environment with runware-mock loads this module, so it imports nothing of the server.
"""

import os
import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from runware_mock.client import ControlError
from runware_mock.testing import ENV_NAMES, RunwareMock, crash_report, fresh_key, import_server, serve, unmet_plan

if TYPE_CHECKING:
    from runware_mock.leaks import Leak

_URL = "RUNWARE_MOCK_URL"
_TOKEN = "RUNWARE_MOCK_CONTROL_TOKEN"  # noqa: S105 - the name of a variable
# The key in a pytest-xdist worker's input under which it finds the server that all workers share.
_SHARED_WITH = "runware_mock"

# The name of the plugin that watches tests for a matrix.
_OBSERVER = "runware-mock-matrix"

_used = pytest.StashKey[RunwareMock]()
_shared = pytest.StashKey[RunwareMock]()
# By API key: the newest journal entry of a crash that has failed a test already.
_seen = pytest.StashKey[dict[str, int]]()
# What a guarded test was about to send to the real service, and how to end the guard.
_leaks = pytest.StashKey["list[Leak]"]()
_guard = pytest.StashKey[ExitStack]()
_bundles = pytest.StashKey[list[Path]]()
# A name of a file may have 255 bytes.
_LONGEST_NAME = 100


@dataclass(frozen=True)
class _Running:
    """A server in another process: what its clients need, and the settings that the ini file has given it."""

    url: str
    token: str | None
    ca_file: Path | None
    settings: Mapping[str, Any]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("runware-mock")
    group.addoption(
        "--runware-mock-url", metavar="URL", help=f"use the server at this URL, or at {_URL}, instead of starting one"
    )
    group.addoption(
        "--runware-mock-shared",
        action="store_true",
        default=None,
        help="with pytest-xdist: start one server for all workers, instead of one each",
    )
    group.addoption(
        "--runware-mock-matrix",
        metavar="KINDS",
        nargs="?",
        const="all",
        help="run each test again with each kind of fault (or KINDS, with commas), wherever one could happen",
    )
    group.addoption(
        "--runware-mock-matrix-limit",
        metavar="SPAN",
        default="5s",
        help="how much longer than before a test may take before it counts as hung: 5s",
    )
    group.addoption("--runware-mock-matrix-json", metavar="FILE", help="write the matrix to this file")
    group.addoption("--runware-mock-matrix-html", metavar="FILE", help="write a page with the journal of each bad cell")
    group.addoption("--runware-mock-matrix-accepted", metavar="FILE", help="file listing bad cells to accept")
    group.addoption(
        "--runware-mock-bundle", metavar="DIR", help="write a file for `runware-mock open` for each test that fails"
    )
    parser.addini("runware_mock_shared", "the same as --runware-mock-shared", type="bool", default=False)
    parser.addini(
        "runware_mock_settings", "settings of the server, one per line: retention = 7d", type="linelist", default=[]
    )
    parser.addini("runware_mock_guard", "guard every test as the fixture does", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the matrix, if one is wanted and this is not one of its runs."""
    config.addinivalue_line("markers", "runware_mock_faults(*faults): plan these faults before the test")
    kinds = config.getoption("--runware-mock-matrix")
    if kinds is None or config.pluginmanager.has_plugin(_OBSERVER):
        return
    from runware_mock.matrix.cells import chosen_kinds
    from runware_mock.matrix.observers import FirstRun
    from runware_mock.matrix.session import MatrixSession

    try:
        config.pluginmanager.register(FirstRun(chosen_kinds(kinds)), _OBSERVER)
    except ValueError as error:
        hint = "write --runware-mock-matrix=KINDS, or give paths before it"
        raise pytest.UsageError(f"--runware-mock-matrix: {error} ({hint})") from None
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(MatrixSession(config))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Import the server if a test needs it: when a fixture has frozen the time, its libraries fail to import."""
    needed = any("runware_mock_server" in getattr(item, "fixturenames", ()) for item in session.items)
    if needed and _running_elsewhere(session.config) is None and not session.config.option.collectonly:
        import_server()


@pytest.fixture(scope="session")
def runware_mock_settings(pytestconfig: pytest.Config) -> Mapping[str, Any]:
    """Return settings of `runware-mock serve` for the server. Override this, or set the ini option of the same name."""
    return _ini_settings(pytestconfig)


@pytest.fixture
def runware_mock_env_names() -> Mapping[str, str]:
    """Map the environment variables of `runware_mock.env()` to url, rest_url, ws_url or api_key. Override this."""
    return ENV_NAMES


@pytest.fixture
def runware_mock_api_key() -> str:
    """Return a fresh API key, so that no test sees what another did. Override this to share one."""
    return fresh_key()


@pytest.fixture(scope="session")
def runware_mock_server(pytestconfig: pytest.Config, runware_mock_settings: Mapping[str, Any]) -> Iterator[RunwareMock]:
    """Run a server for the session, or use one that is already running; `.account(key)` opens accounts on it."""
    running = _running_elsewhere(pytestconfig)
    if running is None:
        with serve(**runware_mock_settings) as mock:
            yield mock
        return
    if runware_mock_settings != running.settings:
        pytest.fail(
            f"runware_mock_settings cannot change the server at {running.url}: give these settings to that server; "
            "with --runware-mock-shared, the ini option runware_mock_settings does that",
            pytrace=False,
        )
    try:
        mock = RunwareMock(running.url, fresh_key(), token=running.token, ca_file=running.ca_file)
        mock.control.status()
    except Exception as error:  # noqa: BLE001 - whatever it is, the server is of no use
        pytest.fail(f"cannot use the server at {running.url}: {error}", pytrace=False)
    yield mock


@pytest.fixture
def runware_mock(
    request: pytest.FixtureRequest,
    runware_mock_server: RunwareMock,
    runware_mock_api_key: str,
    runware_mock_env_names: Mapping[str, str],
) -> RunwareMock:
    """Give the test a fresh account on the session's server, with nothing to clean up.

    The test fails if one of its fault plans was not fully met, or if the mock itself crashed.
    """
    server = runware_mock_server
    mock = RunwareMock(
        server.url, runware_mock_api_key, token=server.token, env_names=runware_mock_env_names, ca_file=server.ca_file
    )
    request.node.stash[_used] = mock
    if observer := request.config.pluginmanager.get_plugin(_OBSERVER):
        observer.begin(mock, is_alone=_running_elsewhere(request.config) is None)
    for marker in request.node.iter_markers("runware_mock_faults"):
        mock.faults.plan(*marker.args, **marker.kwargs)
    return mock


@pytest.fixture
def runware_mock_guard(request: pytest.FixtureRequest) -> "list[Leak]":
    """Fail the test if it looks up or connects to the real service, which it cannot reach; give what it tried."""
    return cast("list[Leak]", request.node.stash[_leaks])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Guard the test and its fixtures, if it is to be guarded."""
    if "runware_mock_guard" in getattr(item, "fixturenames", ()) or item.config.getini("runware_mock_guard"):
        from runware_mock.leaks import watching

        guard = item.stash[_guard] = ExitStack()
        item.stash[_leaks] = guard.enter_context(watching())
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Stop guarding the test; fail if its fixtures tried to reach the real service after the test."""
    guard = item.stash.get(_guard, None)
    try:
        result = yield
    finally:
        if guard is not None:
            guard.close()
    if problems := _leak_report(item):
        pytest.fail(problems, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed although a plan was not met or the mock crashed; add the same to a failure's report."""
    __tracebackhide__ = True
    try:
        result = yield
    except pytest.exit.Exception:
        raise
    except (Exception, pytest.fail.Exception):
        with suppress(Exception):
            _write_bundle(item)
            if problems := _problems(item):
                item.add_report_section("call", "runware-mock", problems)
        raise
    if problems := _problems(item):
        pytest.fail(problems, pytrace=False)
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start the server that all pytest-xdist workers share, and tell each worker where it is."""
    config: pytest.Config = node.config
    if not _is_shared(config) or _running_elsewhere(config) is not None:
        return
    if _shared not in config.stash:
        cleanup = ExitStack()
        config.add_cleanup(cleanup.close)
        try:
            config.stash[_shared] = cleanup.enter_context(serve(**_ini_settings(config)))
        except (OSError, ValueError) as error:
            raise pytest.UsageError(f"runware_mock_settings: {error}") from None
    mock = config.stash[_shared]
    node.workerinput[_SHARED_WITH] = (mock.url, mock.token, str(mock.ca_file or ""))


def _problems(item: pytest.Item) -> str:
    return "\n".join(filter(None, (_leak_report(item), _unmet_or_crashed(item))))


def _leak_report(item: pytest.Item) -> str:
    """Return what the test tried to send to the real service; each is reported once."""
    leaks = item.stash.get(_leaks, [])
    lines = [f"  {leak}{f' ({times} times)' if times > 1 else ''}" for leak, times in Counter(leaks).items()]
    leaks.clear()
    return "\n".join(["the test tried to reach the real service, and was refused:", *lines]) if lines else ""


def _unmet_or_crashed(item: pytest.Item) -> str:
    mock = item.stash.get(_used, None)
    if mock is None:
        return ""
    # Where tests share a key, each fails for its own plans and crashes alone.
    seen = item.config.stash.setdefault(_seen, {})
    unmet, crashes = mock.faults.unmet(), mock.crashes(seen.get(mock.api_key, 0))
    if unmet or crashes:
        _write_bundle(item)
    for plan in unmet:
        mock.faults.delete(plan.name)
    problems = [unmet_plan(plan) for plan in unmet]
    if crashes:
        seen[mock.api_key] = crashes[-1].id
        problems.append(crash_report(crashes))
    return "\n".join(problems)


def _write_bundle(item: pytest.Item) -> None:
    """Write the failure of a test to one file, if that is wanted."""
    folder, mock = item.config.getoption("--runware-mock-bundle"), item.stash.get(_used, None)
    if not folder or mock is None:
        return
    from runware_mock.bundles import pack

    file = Path(folder, re.sub(r"[^\w.-]+", "-", item.nodeid).strip("-")[-_LONGEST_NAME:] + ".zip")
    if file in item.stash.setdefault(_bundles, []):
        return
    item.stash[_bundles].append(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pack(mock.control, test=item.nodeid))
        said = f"look at it with: runware-mock open {file}"
    except (OSError, ControlError) as error:
        said = f"no bundle was written: {error}"
    item.add_report_section("call", "runware-mock bundle", said)


def _running_elsewhere(config: pytest.Config) -> _Running | None:
    """Return the server that was not started in this process, if there is one."""
    worker_input: dict[str, Any] = getattr(config, "workerinput", {})
    if _SHARED_WITH in worker_input:
        url, token, ca_file = worker_input[_SHARED_WITH]
        settings = _ini_settings(config)
    else:
        url = config.getoption("--runware-mock-url") or os.environ.get(_URL)
        token, ca_file, settings = os.environ.get(_TOKEN), os.environ.get("SSL_CERT_FILE"), {}
    return _Running(url, token, Path(ca_file) if ca_file else None, settings) if url else None


def _is_shared(config: pytest.Config) -> bool:
    return bool(config.getoption("--runware-mock-shared") or config.getini("runware_mock_shared"))


def _ini_settings(config: pytest.Config) -> dict[str, Any]:
    lines = [line.partition("=") for line in config.getini("runware_mock_settings")]
    if bad := [name for name, equals, _ in lines if not equals]:
        raise pytest.UsageError(f"runware_mock_settings: {bad[0]!r} is not of the form name = value")
    return {name.strip(): value.strip() for name, _, value in lines}
