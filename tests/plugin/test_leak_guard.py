"""The guard fails a test that tries to reach the real service, and names the line.

Nothing leaves the machine.
"""

import pytest

FORGETS_THE_URL = """
import asyncio, socket
import httpx

def looks_up(host="api.runware.ai"):
    return socket.getaddrinfo(host, 443)

async def forgets():
    reader, writer = await asyncio.open_connection("ws-api.runware.ai", 443)

def survives():
    try:
        asyncio.run(forgets())
    except OSError:
        return "no network?"
"""


@pytest.fixture
def forgetful(project: pytest.Pytester) -> pytest.Pytester:
    """A project whose application does not always use the mock's address."""
    project.makepyfile(forgetful=FORGETS_THE_URL)
    return project


def test_a_test_that_survives_its_leaks_fails_and_is_told_the_lines(forgetful: pytest.Pytester) -> None:
    forgetful.makepyfile(
        """
        import forgetful

        def test_leaks(runware_mock_guard):
            for _ in range(2):
                try:
                    forgetful.looks_up()
                except OSError:
                    pass
            assert forgetful.survives()

        def test_does_not(runware_mock, runware_mock_guard):
            import app
            assert app.upload(runware_mock)["data"]
            assert forgetful.looks_up("localhost")
        """
    )
    result = forgetful.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "the test tried to reach the real service, and was refused:",
            "  *forgetful.py:5, in looks_up, looked up api.runware.ai (2 times)",
            "  *forgetful.py:8, in forgets, looked up ws-api.runware.ai",
        ],
        consecutive=True,
    )


def test_a_client_library_sees_a_network_that_is_down(forgetful: pytest.Pytester) -> None:
    forgetful.makepyfile(
        """
        import httpx
        import pytest

        def test_leaks(runware_mock_guard):
            with pytest.raises(httpx.ConnectError, match="does not let this test reach api.runware.ai"):
                httpx.post("https://api.runware.ai/v1", json=[], trust_env=False)
            (leak,) = runware_mock_guard
            assert leak.host == "api.runware.ai"
            assert leak.line.startswith(__file__)
            runware_mock_guard.clear()
        """
    )
    forgetful.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "act",
    [
        "socket.getaddrinfo(b'API.Runware.AI.', 443)",
        "socket.gethostbyname('runware.ai')",
        "socket.create_connection(('im.runware.ai', 443))",
    ],
)
def test_however_it_is_reached_it_is_refused(forgetful: pytest.Pytester, act: str) -> None:
    forgetful.makepyfile(f"import socket\n\ndef test_leaks(runware_mock_guard):\n    {act}\n")
    result = forgetful.runpytest("-W", "ignore")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*does not let this test reach *", "  *.py:4, in test_leaks, * *unware*"])


def test_the_ini_option_guards_every_test_and_its_fixtures(forgetful: pytest.Pytester) -> None:
    forgetful.makeini("[pytest]\nrunware_mock_guard = true\n")
    forgetful.makepyfile(
        """
        import pytest
        import forgetful

        @pytest.fixture
        def early():
            return forgetful.survives()

        @pytest.fixture
        def late():
            yield
            forgetful.survives()

        def test_early(early):
            pass

        def test_late(late):
            pass

        def test_alone():
            pass
        """
    )
    result = forgetful.runpytest()
    result.assert_outcomes(passed=2, failed=1, errors=1)


def test_without_the_guard_nobody_watches(forgetful: pytest.Pytester) -> None:
    forgetful.makepyfile(
        """
        import sys

        def test_guarded(runware_mock_guard):
            pass

        def test_not_guarded():
            # What would be refused is an event for which nothing is sent.
            sys.audit("socket.connect", None, ("api.runware.ai", 443))

        def test_a_name_that_only_looks_like_it(runware_mock_guard):
            sys.audit("socket.connect", None, ("api.notrunware.ai", 443))
            sys.audit("socket.connect", None, ("runware.ai.example", 443))
            sys.audit("socket.connect", None, "/run/runware.ai")
        """
    )
    forgetful.runpytest().assert_outcomes(passed=3)
