"""Which server the tests have, and how it is set: by fixtures, by ini options, or one that runs already."""

import pytest

from runware_mock.testing import serve


def test_settings_keys_and_names_can_be_overridden(project: pytest.Pytester) -> None:
    project.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def runware_mock_settings():
            return {"retention": "7d", "seed": 1}

        @pytest.fixture
        def runware_mock_api_key():
            return "the-key-of-the-project-0123456789abcdef"

        @pytest.fixture
        def runware_mock_env_names():
            return {"PICTURES_URL": "url", "PICTURES_API": "rest_url", "PICTURES_KEY": "api_key"}
        """
    )
    project.makepyfile(
        """
        from datetime import timedelta
        import app

        def test_overrides(runware_mock, runware_mock_api_key):
            uuid = app.upload(runware_mock)["data"][0]["imageUUID"]
            assert timedelta(days=6) < runware_mock.time_left(uuid) <= timedelta(days=7)
            assert runware_mock.env() == {
                "PICTURES_URL": runware_mock.url,
                "PICTURES_API": runware_mock.url + "/v1",
                "PICTURES_KEY": runware_mock_api_key,
            }
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_settings_may_stand_in_the_ini_file(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nrunware_mock_settings =\n    retention = 7d\n    control_token=secret\n")
    project.makepyfile(
        """
        def test_status(runware_mock):
            assert runware_mock.control.status().settings["retention"] == "7d"
            assert runware_mock.token == "secret"
        """
    )
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("retention = soon", "*bad value for the setting retention: not a duration*"),
        ("retentoin = 7d", "*bad value for the setting retentoin: *"),
        ("retention", "*runware_mock_settings: 'retention' is not of the form name = value*"),
    ],
)
def test_a_bad_setting_is_told_by_name(project: pytest.Pytester, line: str, message: str) -> None:
    project.makeini(f"[pytest]\nrunware_mock_settings = {line}\n")
    project.makepyfile("def test_nothing(runware_mock): pass")
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_server_that_runs_already_can_be_used(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    project.makepyfile(
        """
        import app

        def test_upload(runware_mock):
            app.upload(runware_mock)
            runware_mock.assert_uploaded(times=1)
        """
    )
    with serve(control_token="the-token") as running:  # noqa: S106 - of a test
        monkeypatch.setenv("RUNWARE_MOCK_CONTROL_TOKEN", "the-token")
        if way == "variable":
            monkeypatch.setenv("RUNWARE_MOCK_URL", running.url + "/")
        options = [f"--runware-mock-url={running.rest_url}"] if way == "option" else []
        project.runpytest(*options).assert_outcomes(passed=1)
        assert running.control.status().media == 1


def test_a_url_where_nothing_answers_is_told_once_for_each_test(project: pytest.Pytester) -> None:
    project.makepyfile("def test_nothing(runware_mock): pass")
    with serve() as mock:
        gone = mock.url
    result = project.runpytest(f"--runware-mock-url={gone}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*cannot use the server at {gone}: *"])


def test_settings_are_refused_for_a_server_they_would_not_reach(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nrunware_mock_settings = retention = 7d\n")
    project.makepyfile("def test_nothing(runware_mock): pass")
    with serve() as mock:
        result = project.runpytest(f"--runware-mock-url={mock.url}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*runware_mock_settings cannot change the server at *"])
