"""The fixtures, in a project of somebody else's."""

import sys

import pytest

from runware_mock.testing import RunwareMock


def test_a_test_uploads_to_the_mock_and_asks_it_afterwards(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import app

        def test_upload(runware_mock, tmp_path):
            app.upload(runware_mock)
            (tmp_path / "picture.png").write_bytes(app.PICTURE)
            (upload,) = runware_mock.assert_uploaded(app.PICTURE, times=1)
            assert upload.audit.format == "png"
            assert runware_mock.assert_uploaded(tmp_path / "picture.png") == runware_mock.uploads
            assert runware_mock.assert_uploaded(sha256=upload.audit.sent.sha256.upper())
            runware_mock.assert_not_uploaded(b"another file")

        def test_deleting_is_no_upload(runware_mock):
            uuid = app.upload(runware_mock)["data"][0]["imageUUID"]
            assert runware_mock.is_stored(uuid)
            app.ask(runware_mock, {"taskType": "mediaStorage", "operation": "delete", "media": uuid})
            runware_mock.assert_uploaded(times=1)
            assert [task.task_type for task in runware_mock.tasks] == ["imageUpload", "mediaStorage"]
            assert not runware_mock.is_stored(uuid)
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_each_test_has_an_account_of_its_own_on_one_server(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from datetime import timedelta
        import pytest
        import app

        SEEN = set()

        @pytest.mark.parametrize("number", range(3))
        def test_upload(runware_mock, runware_mock_server, number):
            assert runware_mock.tasks == []
            app.upload(runware_mock)
            runware_mock.assert_uploaded(times=1)
            assert runware_mock.clock.get().offset < timedelta(seconds=1)
            runware_mock.clock.advance(days=number + 1)
            assert runware_mock.url == runware_mock_server.url
            SEEN.add((runware_mock.api_key, runware_mock.url))

        def test_keys_differ_and_the_server_does_not():
            assert len(SEEN) == 3
            assert len({url for _, url in SEEN}) == 1
            assert all(len(key) >= 32 for key, _ in SEEN)
        """
    )
    project.runpytest().assert_outcomes(passed=4)


def test_expiry_is_told_on_the_clock_of_the_account(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from datetime import timedelta
        import app

        def test_expiry(runware_mock):
            runware_mock.clock.freeze()
            uuid = app.upload(runware_mock)["data"][0]["imageUUID"]
            runware_mock.clock.advance(days=29)
            assert runware_mock.time_left(uuid) == timedelta(days=1)
            assert runware_mock.expires_at(uuid) == runware_mock.clock.now() + timedelta(days=1)
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_what_an_assertion_expected_and_what_was_there_are_both_told(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import app

        def test_nothing_came(runware_mock):
            runware_mock.assert_uploaded()

        def test_another_picture_came(runware_mock):
            app.upload(runware_mock)
            app.upload(runware_mock, b"no picture")
            runware_mock.assert_uploaded(b"my file", times=2)

        def test_a_picture_came(runware_mock):
            app.upload(runware_mock)
            runware_mock.assert_not_uploaded()

        def test_too_few_came(runware_mock):
            app.upload(runware_mock)
            runware_mock.wait_for_uploads(3, timeout_s=0.1)
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: expected an upload, but there were none",
            "*no task was sent to the mock",
            "*AssertionError: expected 2 uploads of the file with SHA-256 *, but there were none",
            "*success imageUpload * (rest): png 1x1, SHA-256 *",
            "*error imageUpload * (rest): invalidImage: *",
            "*AssertionError: expected 0 uploads, but there was 1",
            "*AssertionError: waited 0.1 s for 3 uploads, but there was 1",
        ]
    )
    result.stdout.no_fnmatch_line("*testing.py*raise AssertionError*")


def test_waiting_ends_with_the_last_upload_awaited(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import threading
        import app

        def test_wait(runware_mock):
            def work():
                app.ask(runware_mock, {"taskType": "imageUpload"})
                for _ in range(3):
                    app.upload(runware_mock)

            thread = threading.Thread(target=work)
            thread.start()
            assert len(runware_mock.wait_for_uploads(3)) == 3
            thread.join()
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_the_environment_points_an_application_at_the_mock(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_env(runware_mock):
            port = runware_mock.url.removeprefix("http://127.0.0.1:")
            assert runware_mock.env() == {
                "RUNWARE_API_KEY": runware_mock.api_key,
                "RUNWARE_BASE_URL": f"http://127.0.0.1:{port}/v1",
                "RUNWARE_WS_URL": f"ws://127.0.0.1:{port}/v1",
            }
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_asyncio_tests_may_call_the_mock_inside_their_loop(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import asyncio
        import pytest
        import app

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_in_a_loop(runware_mock):
            uploading = asyncio.create_task(asyncio.to_thread(app.upload, runware_mock))
            await asyncio.sleep(0)
            runware_mock.wait_for_uploads(1)
            await uploading
            runware_mock.clock.advance(days=31)
            assert runware_mock.media.list() == []
        """
    )
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.full
def test_a_project_with_a_server_folder_of_its_own_keeps_it(project: pytest.Pytester) -> None:
    project.mkpydir("server").joinpath("views.py").write_text("ANSWER = 42\n")
    project.makepyfile(
        """
        import app
        from server.views import ANSWER

        def test_both(runware_mock):
            app.upload(runware_mock)
            runware_mock.assert_uploaded()
            assert ANSWER == 42
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)
    assert project.run(sys.executable, "-m", "pytest").ret == 0


@pytest.mark.full
def test_a_run_without_the_mock_imports_nothing_of_the_server(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_imports():
            loaded = {name for name in sys.modules if name.startswith("runware_mock")}
            assert loaded == {
                "runware_mock",
                "runware_mock.answer_calls",
                "runware_mock.answer_models",
                "runware_mock.client",
                "runware_mock.rule_files",
                "runware_mock.connection",
                "runware_mock.clock",
                "runware_mock.control_models",
                "runware_mock.testing",
                "runware_mock.pytest_plugin",
                "runware_mock.testing",
                "runware_mock.values",
                "runware_mock.version",
            }
            assert not sys.modules.keys() & {"fastapi", "PIL", "sqlalchemy", "uvicorn"}
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_key_does_not_show_in_a_report() -> None:
    assert "secret" not in repr(RunwareMock("http://127.0.0.1:1", "a-secret-key"))
