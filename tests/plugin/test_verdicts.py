"""A test that passed in spite of an unmet plan or a crash of the mock fails with the reason."""

import pytest

BREAKS_THE_MOCK = """
import sqlite3
import pytest
import app
from runware_mock.storage.sqlite import FILE_NAME

@pytest.fixture(scope="session")
def runware_mock_settings(tmp_path_factory):
    return {"data_dir": tmp_path_factory.mktemp("data")}

@pytest.fixture
def crash(runware_mock, runware_mock_settings):
    def crash():
        file = runware_mock_settings["data_dir"] / FILE_NAME
        with sqlite3.connect(file) as connection:
            connection.execute("ALTER TABLE content RENAME TO elsewhere")
        answer = app.upload(runware_mock)
        with sqlite3.connect(file) as connection:
            connection.execute("ALTER TABLE elsewhere RENAME TO content")
        connection.close()
        assert answer["errors"][0]["code"] == "mockInternalError"
    return crash
"""


def test_a_plan_that_was_not_fully_met_fails_the_test(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import app

        ERROR = {"kind": "error", "code": "rateLimitExceeded", "times": 2}

        def test_met(runware_mock):
            runware_mock.faults.plan(ERROR, name="two errors")
            assert app.upload(runware_mock)["errors"]
            assert app.upload(runware_mock)["errors"]
            assert app.upload(runware_mock)["data"]

        def test_not_met(runware_mock):
            runware_mock.faults.plan(ERROR, name="two errors")
            assert app.upload(runware_mock)["errors"]

        def test_not_met_at_all(runware_mock):
            runware_mock.faults.plan({"kind": "reset"}, {"kind": "empty", "times": None}, name="for ever")

        def test_need_not_be_met(runware_mock):
            runware_mock.faults.plan(ERROR, must_be_met=False)
        """
    )
    result = project.runpytest()
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*the fault plan 'two errors' was not fully met",
            "*fault 1, error: happened 1 of 2 times; 1 matching call seen",
            "*the fault plan 'for ever' was not fully met",
            "*fault 1, reset: happened 0 of 1 time; 0 matching calls seen",
            "*fault 2, empty: happened 0 of 1 time; 0 matching calls seen",
        ]
    )


def test_an_expected_failure_may_be_that_of_a_plan(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.xfail(strict=True)
        def test_not_met(runware_mock):
            runware_mock.faults.plan({"kind": "reset"})

        def test_skipped(runware_mock):
            runware_mock.faults.plan({"kind": "reset"})
            pytest.skip("for another reason")
        """
    )
    project.runpytest().assert_outcomes(xfailed=1, skipped=1)


def test_a_test_that_failed_by_itself_gets_one_section_more(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        def test_fails(runware_mock):
            runware_mock.faults.plan({"kind": "reset"}, name="resets")
            assert 1 == 2

        def test_fails_by_hand(runware_mock):
            runware_mock.faults.plan({"kind": "reset"}, name="resets")
            pytest.fail("for my own reason")
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=2)
    for reason in ("*assert 1 == 2*", "*for my own reason*"):
        result.stdout.fnmatch_lines(
            [reason, "*Captured runware-mock call*", "the fault plan 'resets' was not fully met"]
        )


def test_tests_that_share_a_key_do_not_fail_for_one_another(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""
        {BREAKS_THE_MOCK.replace(chr(10), chr(10) + 8 * " ")}
        @pytest.fixture
        def runware_mock_api_key():
            return "one-key-for-all-tests-0123456789abcdef"

        def test_not_met(runware_mock):
            runware_mock.faults.plan({{"kind": "reset"}}, name="resets")

        def test_crash(crash):
            crash()

        def test_fine(runware_mock):
            assert len(runware_mock.tasks) == 1
        """
    )
    project.runpytest().assert_outcomes(passed=1, failed=2)


def test_a_crash_of_the_mock_fails_the_test(project: pytest.Pytester) -> None:
    project.makepyfile(
        BREAKS_THE_MOCK
        + """
def test_crash(crash):
    crash()

def test_fine(runware_mock):
    assert app.upload(runware_mock)["data"]
"""
    )
    result = project.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "the mock itself crashed (its log says why); tasks sent to the mock:",
            "*crash imageUpload * (rest): mockInternal*",
        ]
    )
    result.stdout.fnmatch_lines(["*no such table: content*"])


def test_a_rule_that_must_be_used_and_was_not_fails_the_test_and_names_the_nearest_task(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(
        """
        import app

        def test_not_used(runware_mock):
            rule = runware_mock.answers.on("imageUpload", where={"image": "cat"}, name="the cat", must_be_used=True)
            rule.give({"error": "invalidImage", "times": 2}, {"fields": {}})
            app.upload(runware_mock)

        def test_used(runware_mock):
            runware_mock.answers.on("imageUpload", must_be_used=True).give(fields={"a": 1})
            assert app.upload(runware_mock)["data"][0]["a"] == 1

        def test_need_not_be_used(runware_mock):
            runware_mock.answers.on("imageUpload", where={"image": "cat"}).give(fields={"a": 1})
        """
    )
    result = project.runpytest()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*the rule 'the cat' was not fully used",
            "*answer 1: given 0 of 2 times; 0 matching calls seen",
            "*answer 2: given 0 of 1 time; 0 matching calls seen",
            "*nearest task: imageUpload *: image is 'iVBOR*, which does not match 'cat'",
        ]
    )
