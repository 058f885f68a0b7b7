"""What a person does on the page of controls, in a real browser."""

from typing import TYPE_CHECKING, get_args

import pytest

from runware_mock.faults.kinds import AnyFault
from runware_mock.faults.plans import Plan
from tests import plain
from tests.control.calling import calling
from tests.page.opening import KEY, open_live, send
from tests.pictures import png
from tests.running import RunningMock
from tests.talking import talking, upload

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.timeout(90)
KINDS = {kind.model_fields["kind"].annotation.__args__[0]: kind for kind in get_args(get_args(AnyFault)[0])}


def agree(page: "Page", verb: str) -> None:
    """Answer the page's question with yes."""
    page.locator("dialog").get_by_role("button", name=verb).click()


def test_the_clock_says_what_it_is_going_to_purge_and_is_in_the_header_while_not_at_rest(
    alone: RunningMock, page: "Page"
) -> None:
    send(alone, upload(png()))
    open_live(page, f"{alone.url}/ui/controls")
    page.get_by_role("button", name="Freeze").click()
    page.get_by_role("link", name="Clock frozen").wait_for()
    # Nothing expires within a day, so that there is nothing to ask.
    page.get_by_role("button", name="Advance 1d").click()
    page.get_by_text("2026-01-02 00:00:00 UTC").first.wait_for()
    page.get_by_label("Advance by").fill("31d")
    page.get_by_role("button", name="Advance", exact=True).click()
    page.get_by_text("This deletes 1 medium (").wait_for()
    agree(page, "Advance")
    page.get_by_text("1 medium purged.").wait_for()
    page.get_by_text("2026-02-02 00:00:00 UTC").first.wait_for()
    page.get_by_role("button", name="Back to the real time").click()
    page.get_by_text("2026-01-01 00:00:00 UTC").first.wait_for()
    assert page.locator(".bar .chip").count() == 0


def test_a_plan_is_added_shown_in_the_header_and_seen_met(alone: RunningMock, page: "Page") -> None:
    open_live(page, f"{alone.url}/ui/controls")
    page.get_by_label("Code").fill("failedToTransferImage")
    page.get_by_label("Task type").fill("imageUpload")
    page.get_by_role("button", name="Add plan").click()
    page.get_by_role("link", name="1 plan waiting").wait_for()
    page.get_by_text("met 0 of 1").wait_for()
    with talking(alone, "rest", KEY) as talker:
        assert talker.ask(upload(png())).codes == ["failedToTransferImage"]
    page.get_by_text("met 1 of 1").wait_for()
    page.locator(".plan").get_by_role("button", name="Delete").click()
    page.get_by_text("It cannot be undone.").wait_for()
    agree(page, "Delete")
    page.get_by_text("Nothing is planned").wait_for()


def test_the_form_has_every_kind_of_fault_and_every_field(alone: RunningMock, page: "Page") -> None:
    open_live(page, f"{alone.url}/ui/controls")
    kinds = page.get_by_label("Kind")
    kinds.locator("option").nth(1).wait_for(state="attached")
    assert set(kinds.locator("option").all_inner_texts()) == KINDS.keys()
    for name, kind in KINDS.items():
        kinds.select_option(name)
        found = page.locator("#plan [name]").evaluate_all("all => all.map(one => one.name)")
        assert {field for field in found if ":" not in field} == {*kind.model_fields, *Plan.model_fields} - {"faults"}
    assert page.locator("#plan small code").all_inner_texts(), "examples are set as code"
    assert not [hint for hint in page.locator("#plan small").all_inner_texts() if "`" in hint]
    # A field that holds a mapping, and one without a limit.
    kinds.select_option("http")
    page.get_by_label("Headers").fill("Retry-After: 7")
    page.get_by_label("Every time").check()
    page.get_by_role("button", name="Add plan").click()
    page.get_by_text("met 0, every time").wait_for()
    (fault,) = plain.get(f"{alone.url}/_mock/faults").json()["plans"][0]["faults"]
    assert (fault["headers"], fault["times"], fault["status"]) == ({"Retry-After": "7"}, None, 503)


@pytest.mark.parametrize(("typed", "size_bytes"), [("64KiB", 65536), ("2048", 2048)])
def test_the_form_takes_a_number_of_bytes_with_and_without_a_unit(
    alone: RunningMock, page: "Page", typed: str, size_bytes: int
) -> None:
    open_live(page, f"{alone.url}/ui/controls")
    page.get_by_label("Kind").select_option("cut_answer")
    page.get_by_label("After bytes").fill(typed)
    page.get_by_role("button", name="Add plan").click()
    page.get_by_text("met 0 of 1").wait_for()
    (fault,) = plain.get(f"{alone.url}/_mock/faults").json()["plans"][0]["faults"]
    assert fault["after_bytes"] == size_bytes


def test_the_account_is_chosen_once_for_all_controls(alone: RunningMock, page: "Page") -> None:
    send(alone, upload(png()))
    open_live(page, f"{alone.url}/ui/controls")
    page.get_by_label("Code").fill("insufficientCredits")
    page.get_by_label("Account").select_option("1")
    page.get_by_text("acts on account 1").wait_for()
    page.get_by_role("button", name="Add plan").click()
    page.get_by_role("link", name="1 plan waiting, account 1").wait_for()
    with calling(alone, KEY) as control:
        control.post("/answers", task_type="caption", give={"text": "a cat"})
    page.get_by_role("link", name="2 plans waiting, account 1").wait_for()
    page.get_by_label("Account").select_option("All accounts")
    page.locator(".plan", has_text="for account 1").nth(1).wait_for()
    page.locator(".plan").first.get_by_role("button", name="Delete").click()
    page.get_by_role("link", name="1 plan waiting, account 1").wait_for()
    page.get_by_label("Account").select_option("1")
    page.get_by_text("acts on account 1").wait_for()
    page.get_by_role("button", name="Freeze").click()
    page.get_by_role("link", name="Clock frozen, account 1").wait_for()


def test_what_is_wrong_in_a_plan_is_said_beside_its_field(alone: RunningMock, page: "Page") -> None:
    open_live(page, f"{alone.url}/ui/controls")
    page.get_by_label("Code").fill("failedToTransferImages")
    page.get_by_role("button", name="Add plan").click()
    page.get_by_text("did you mean failedToTransferImage?").wait_for()
    assert page.evaluate("document.activeElement.name") == "code"


def test_snapshot_reset_and_restore(alone: RunningMock, page: "Page") -> None:
    send(alone, upload(png()))
    open_live(page, f"{alone.url}/ui/controls?account=1")
    page.get_by_label("Name").first.fill("before & <b>")
    page.get_by_role("button", name="Take a snapshot").click()
    page.locator(".rows", has_text="before & <b> 1 medium").wait_for()
    page.get_by_role("button", name="Reset everything").click()
    page.get_by_text("This deletes 1 medium, 1 journal entry, 0 plans.").wait_for()
    agree(page, "Reset")
    page.get_by_role("link", name="Gallery 0").wait_for()
    page.get_by_role("button", name="Restore").click()
    agree(page, "Restore")
    page.get_by_role("link", name="Gallery 1").wait_for()


def test_every_control_is_reached_by_the_keyboard(alone: RunningMock, page: "Page") -> None:
    send(alone, upload(png()))
    page.goto(f"{alone.url}/ui/controls?account=1")
    page.get_by_label("Code").wait_for()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.innerText || document.activeElement.name"))
    buttons = page.locator("main button").all_inner_texts()
    assert {*buttons, "Skip to content", "Journal 1"} <= reached
