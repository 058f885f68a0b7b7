"""What tests of the page do first: send some tasks, open a page."""

from typing import TYPE_CHECKING

from tests.running import RunningMock
from tests.talking import talking

if TYPE_CHECKING:
    from playwright.sync_api import Page

KEY = "a-key-for-the-page-0123456789abcdef"


def send(mock: RunningMock, *tasks: object) -> list[str]:
    """Send tasks; return the UUIDs of what they stored."""
    with talking(mock, "rest", KEY) as talker:
        answer = talker.ask(*tasks)
    return [item["imageUUID"] for item in answer.data if "imageUUID" in item]


def open_live(page: "Page", url: str) -> None:
    """Open a page and wait until it hears of changes."""
    page.goto(url)
    page.locator('#live[data-state="live"]').wait_for()
