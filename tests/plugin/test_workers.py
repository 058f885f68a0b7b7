"""pytest-xdist: a server for each worker, or one for all."""

import pytest

WORKERS = 8
TESTS = 500
# No promise: eight interpreters on a busy machine may take minutes, a run that hangs takes for ever.
ALL_PASS_WITHIN_S = 900

WRITES_URL = """
    import os
    from pathlib import Path
    import pytest

    @pytest.mark.parametrize("number", range(8))
    def test_url(runware_mock, number):
        folder = Path(__file__).parent / "urls" / os.environ["PYTEST_XDIST_WORKER"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / runware_mock.url.rpartition(":")[2]).touch()
        assert runware_mock.control.status().settings.get("retention", "30d") == RETENTION
"""


def servers_of_workers(project: pytest.Pytester) -> dict[str, set[str]]:
    """Return for each worker the ports of the servers its tests have used."""
    return {worker.name: {file.name for file in worker.iterdir()} for worker in (project.path / "urls").iterdir()}


def test_each_worker_has_a_server_of_its_own(project: pytest.Pytester) -> None:
    project.makepyfile(WRITES_URL.replace("RETENTION", "'30d'"))
    project.runpytest_subprocess("-n", "2", "--dist=each").assert_outcomes(passed=16)
    one, other = servers_of_workers(project).values()
    assert len(one) == len(other) == 1
    assert one != other


@pytest.mark.parametrize("way", ["option", "ini"])
def test_workers_may_share_one_server(project: pytest.Pytester, way: str) -> None:
    shared = "runware_mock_shared = true\n" if way == "ini" else ""
    project.makeini(f"[pytest]\n{shared}runware_mock_settings =\n    retention = 7d\n    control_token = secret\n")
    project.makepyfile(WRITES_URL.replace("RETENTION", "'7d'"))
    options = ["--runware-mock-shared"] if way == "option" else []
    project.runpytest_subprocess("-n", "2", "--dist=each", *options).assert_outcomes(passed=16)
    one, other = servers_of_workers(project).values()
    assert one == other
    assert len(one) == 1


def test_settings_of_a_fixture_are_refused_where_they_would_not_reach_the_shared_server(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def runware_mock_settings():
            return {"retention": "7d"}

        def test_nothing(runware_mock):
            pass
        """
    )
    result = project.runpytest_subprocess("-n", "1", "--runware-mock-shared")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*runware_mock_settings cannot change the server at *"])


def test_a_bad_setting_of_the_shared_server_is_told_by_name(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nrunware_mock_settings = retention = soon\n")
    project.makepyfile("def test_nothing(runware_mock): pass")
    result = project.runpytest_subprocess("-n", "1", "--runware-mock-shared")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: runware_mock_settings: bad value for the setting retention: not a duration*"])


@pytest.mark.timeout(ALL_PASS_WITHIN_S + 60)
def test_workers_share_a_server_without_seeing_one_another(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""
        from datetime import timedelta
        import pytest
        import app

        @pytest.mark.parametrize("number", range({TESTS}))
        def test_alone(runware_mock, number):
            # Every test sends the same picture, moves its clock elsewhere and has a plan of the same name.
            runware_mock.faults.plan({{"kind": "error", "code": "rateLimitExceeded", "nth": 2}}, name="second fails")
            now = runware_mock.clock.advance(hours=number).clock.now_at
            uuid = app.upload(runware_mock)["data"][0]["imageUUID"]
            assert app.upload(runware_mock)["errors"][0]["code"] == "rateLimitExceeded"
            assert [task.outcome for task in runware_mock.tasks] == ["success", "error"]
            (medium,) = runware_mock.media.list()
            assert medium.uuid == uuid
            assert now <= medium.created_at < now + timedelta(minutes=1)
        """
    )
    result = project.runpytest_subprocess("-n", str(WORKERS), "--runware-mock-shared", "-q", timeout=ALL_PASS_WITHIN_S)
    result.assert_outcomes(passed=TESTS)
