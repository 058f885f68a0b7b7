"""Fixtures: Chromium, driven by Playwright; skipped where either is missing."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.running import RunningMock, running_mock

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox, as containers have none to give; no chatter with the browser's maker.
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Start the browser of this machine.

    Not for the whole session: while Playwright runs, no other test of this process could run an event loop.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def alone() -> Iterator[RunningMock]:
    """A server of the test's own: the page shows every account."""
    with running_mock(purge_every="365d") as mock:
        yield mock


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """Open a tab that fails the test on any error of the page's own."""
    context = browser.new_context()
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda line: errors.append(line.text) if "Content Security Policy" in line.text else None)
    yield opened
    context.close()
    assert not errors
