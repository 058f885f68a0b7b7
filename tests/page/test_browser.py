"""What a person sees and does on the page, in a real browser."""

import re
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from runware_mock.api.ui.pages import EXAMPLE_KEY
from runware_mock.storage.models import content
from tests import plain
from tests.control.calling import calling
from tests.images.painting import clip, encoded, moving, see_through
from tests.page.opening import KEY, open_live, send
from tests.pictures import png
from tests.process.clients import rest
from tests.process.ports import free_port
from tests.running import RunningMock, clean_environment, mock_process, running_mock
from tests.talking import new_uuid, upload

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.timeout(90)


def test_an_upload_appears_without_a_reload_and_is_gone_when_its_time_is_over(alone: RunningMock, page: "Page") -> None:
    open_live(page, alone.url)
    page.get_by_text("Nothing is stored").wait_for()
    (uuid,) = send(alone, upload(png(2100, 1050)))
    card = page.locator(".gallery li")
    card.wait_for()
    assert "2100\u00d71050 \u2192 2048\u00d71024" in card.inner_text()
    assert "30d left" in card.inner_text()
    assert page.locator("nav a", has_text="Gallery").inner_text() == "Gallery 1"
    picture = card.locator("img")
    picture.scroll_into_view_if_needed()
    picture.evaluate("one => one.decode()")
    assert picture.evaluate("one => [one.naturalWidth, one.naturalHeight]") == [240, 120]
    with calling(alone, KEY) as control:
        control.post("/clock/advance", by="31d")
    page.get_by_text("Nothing is stored").wait_for()
    assert page.goto(f"{alone.url}/ui/media/{uuid}").status == 404  # type: ignore[union-attr] # it navigates
    page.get_by_text("no medium").wait_for()


def test_the_gallery_is_filtered_as_soon_as_a_filter_changes_and_is_paged(alone: RunningMock, page: "Page") -> None:
    gif = moving(clip((64, 48), 3), "GIF")
    send(alone, upload(gif), *(upload(png()) for _ in range(61)))
    page.goto(alone.url)
    assert page.locator(".gallery li").count() == 60
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**before=*")
    assert page.locator(".gallery li").count() == 2
    page.goto(alone.url)
    assert page.get_by_label("Format").locator("option").all_inner_texts() == ["Any", "gif", "png"]
    # There is one task type, and one account: nothing to choose.
    assert page.get_by_label("Task").count() == page.get_by_label("Account").count() == 0
    page.get_by_label("Format").select_option("gif")
    page.locator(".gallery li", has_text="3 frames").wait_for()
    assert page.url == f"{alone.url}/?format=gif"
    assert page.locator(".gallery li").count() == 1
    page.go_back()
    page.wait_for_url(f"{alone.url}/")
    page.locator(".gallery li").nth(59).wait_for()


def test_a_medium_shows_its_audit_its_tasks_and_what_to_copy(alone: RunningMock, page: "Page") -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    (uuid,) = send(alone, upload(encoded(see_through((2100, 400)), "PNG")))
    send(alone, {"taskType": "caption", "taskUUID": new_uuid(), "inputImage": uuid})
    page.goto(alone.url)
    page.locator(".gallery a").click()
    page.wait_for_url(f"**/ui/media/{uuid}")
    assert page.locator("tr", has_text="Dimensions").inner_text().split("\t")[1:] == [
        "2100 \u00d7 400 px",
        "2048 \u00d7 390 px",
    ]
    assert page.locator(".timeline a").all_inner_texts() == ["Stored by imageUpload", "Used by caption"]
    assert page.locator("summary b").all_inner_texts() == ["caption", "imageUpload"]
    page.get_by_role("button", name="Copy UUID").click()
    page.get_by_text(f"Copied {uuid}").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == uuid
    page.get_by_role("button", name="Expire now").click()
    page.locator("dialog").get_by_role("button", name="Expire now").click()
    page.locator(".timeline", has_text="Expired").wait_for()
    assert page.request.get(f"{alone.url}/image/ii/{uuid}.png").status == 404
    page.get_by_role("button", name="Delete").click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("Nothing is stored").wait_for()


def test_the_journal_is_live_and_explains_refusals(alone: RunningMock, page: "Page") -> None:
    open_live(page, f"{alone.url}/ui/journal")
    send(alone, upload("/home/me/cat.png"))
    page.locator(".outcome.error").wait_for()
    page.locator(".entry > summary").click()
    page.get_by_text("the service cannot see your disk").first.wait_for()
    (uuid,) = send(alone, upload(png()))
    page.locator(".outcome.success").wait_for()
    # What was unfolded has stayed so.
    assert page.locator("details[open] .outcome.error").count() == 1
    page.locator(".entry > summary").first.click()
    page.get_by_role("link", name=re.compile(f"imageUUID {uuid}")).click()
    page.wait_for_url(f"**/ui/media/{uuid}")


def test_a_dropped_file_is_uploaded_through_the_real_api(alone: RunningMock, page: "Page") -> None:
    open_live(page, f"{alone.url}/ui/journal")
    page.evaluate(
        """([good, bad]) => {
          const dropped = new DataTransfer();
          for (const [name, bytes] of [["good.png", good], ["bad.png", bad]]) {
            dropped.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
          }
          const options = { dataTransfer: dropped, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new DragEvent("drop", options));
        }""",
        [list(png()), list(b"no picture")],
    )
    page.get_by_text("Invalid value for 'image'").first.wait_for()
    page.locator(".outcome.success").wait_for()
    # Where any key will do, it is that of the examples.
    with calling(alone, EXAMPLE_KEY) as control:
        assert control.get("/media")["media"][0]["task_type"] == "imageUpload"


def test_a_request_is_sent_again_by_a_button(alone: RunningMock, page: "Page") -> None:
    send(alone, upload(png()))
    open_live(page, f"{alone.url}/ui/journal")
    page.locator(".entry > summary").click()
    page.get_by_role("button", name="Replay this request").click()
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Sent again").wait_for()
    page.locator(".entry").nth(1).wait_for()
    with calling(alone, KEY) as control:
        again, first = control.get("/journal")["entries"]
    assert again["audit"]["sent"]["sha256"] == first["audit"]["sent"]["sha256"]


def test_an_entry_becomes_a_test_that_passes(alone: RunningMock, page: "Page", tmp_path: Path) -> None:
    (uuid,) = send(alone, upload(png()))
    with calling(alone, KEY) as control:
        control.post("/faults", faults=[{"kind": "error", "code": "insufficientCredits", "task_type": "caption"}])
    caption = {"taskType": "caption", "inputImage": uuid}
    send(alone, upload("/home/me/cat.png"), *({**caption, "taskUUID": new_uuid()} for _ in range(2)))
    open_live(page, f"{alone.url}/ui/journal")
    for number in range(4):
        page.locator(".entry > summary").nth(number).click()
        page.locator(".entry").nth(number).get_by_role("button", name="Make a test of this").click()
        text = page.locator("dialog[open] pre").inner_text()
        (tmp_path / f"test_{number}.py").write_text(text)
        page.get_by_role("button", name="Close").click()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in done.stdout, done.stdout


def test_the_keyboard_moves_opens_searches_and_goes_back(alone: RunningMock, page: "Page") -> None:
    uuids = send(alone, *(upload(png()) for _ in range(3)))
    page.goto(alone.url)
    page.locator(".gallery li").nth(2).wait_for()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ui/media/{uuids[1]}")
    page.keyboard.press("Escape")
    page.wait_for_url(f"{alone.url}/")
    page.keyboard.press("/")
    page.keyboard.type(uuids[0][:8])
    page.wait_for_url(f"**/?text={uuids[0][:8]}")
    page.get_by_text("1 medium found").wait_for()


@pytest.mark.parametrize(
    "text", ["<script>document.title='hacked'</script>", "<img src=x onerror=alert(1)>", "x" * 10_000]
)
def test_what_users_write_never_becomes_html(alone: RunningMock, page: "Page", text: str) -> None:
    prompt = {"taskType": "imageInference", "positivePrompt": text, "model": "<b>@1", "width": 512, "height": 512}
    send(alone, upload(text), {**prompt, "taskUUID": new_uuid()}, {"taskType": text, "taskUUID": text})
    for path in ("/ui/journal", f"/ui/journal?text={text[:50]}", "/?text=<script>", "/ui/nowhere<script>"):
        page.goto(alone.url + path)
        assert "runware-mock" in page.title()
        assert page.locator("main script, main img[src=x]").count() == 0
    page.goto(f"{alone.url}/ui/journal")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_server_that_goes_away_is_noticed_and_found_again(page: "Page", tmp_path: Path) -> None:
    port = str(free_port())
    with mock_process(tmp_path, "--port", port) as first:
        open_live(page, first.url)
        first.stop()
        page.locator('#live[data-state="lost"]').wait_for()
    with mock_process(tmp_path, "--port", port) as second, rest(second.url) as talker:
        page.locator('#live[data-state="live"]').wait_for()
        assert talker.ask(upload(png())).item
        page.locator(".gallery li").wait_for()


def test_fifty_pages_are_open_at_once_and_all_hear_of_a_change(alone: RunningMock, page: "Page") -> None:
    heard: list[int] = []

    def listen() -> None:
        with plain.stream("GET", f"{alone.url}/ui/events", timeout=30) as stream:
            events = (line for line in stream.iter_lines() if line.startswith("data:"))
            next(events)
            ready.release()
            heard.append(int(next(events).removeprefix("data: ")))

    ready = threading.Semaphore(0)
    listeners = [threading.Thread(target=listen) for _ in range(50)]
    for listener in listeners:
        listener.start()
    for _ in listeners:
        ready.acquire()
    open_live(page, alone.url)
    send(alone, upload(png()))
    for listener in listeners:
        listener.join(20)
    assert len(heard) == 50
    page.locator(".gallery li").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [360, 800, 1440])
def test_every_page_fits_its_window_and_people_who_see_or_point_otherwise_can_use_it(
    alone: RunningMock, page: "Page", width_px: int, scheme: str
) -> None:
    """WCAG 2.2 A and AA, as far as axe-core can tell."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    page.set_viewport_size({"width": width_px, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # light or dark

    def check(path: str) -> None:
        page.goto(alone.url + path)
        for summary in page.locator(".entry > summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        found = axe.Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"

    check("/")
    (uuid,) = send(alone, upload(png(2100, 1050)), upload("x" * 5000))
    for path in ("/", f"/ui/media/{uuid}", "/ui/journal", "/ui/controls?account=1", "/ui/nowhere"):
        check(path)


def test_an_old_medium_is_shown_as_expired(alone: RunningMock, page: "Page") -> None:
    (uuid,) = send(alone, upload(png()))
    alone.clock.advance(timedelta(days=31))
    page.goto(f"{alone.url}/?state=expired")
    assert "expired" in page.locator(".gallery li").inner_text()
    page.goto(f"{alone.url}/ui/media/{uuid}")
    page.get_by_text("The file is no longer served").wait_for()


def test_a_medium_that_is_purged_while_its_page_is_open_says_so(alone: RunningMock, page: "Page") -> None:
    (uuid,) = send(alone, upload(png()))
    open_live(page, f"{alone.url}/ui/media/{uuid}")
    with calling(alone, KEY) as control:
        control.post("/clock/advance", by="31d")
    page.get_by_text(f"no medium {uuid} is stored").wait_for()


def test_a_broken_medium_is_shown_without_its_picture(alone: RunningMock, page: "Page") -> None:
    send(alone, upload(png()), upload(png()))
    with alone.services.database.writing() as connection:
        connection.execute(update(content).where(content.c.id == 1).values(bytes=b"broken"))
    page.goto(alone.url)
    assert page.locator(".gallery li").count() == 2
    broken = page.locator(".gallery img").last
    broken.scroll_into_view_if_needed()
    assert broken.evaluate("one => one.decode().catch(() => 'broken')") == "broken"


def test_an_svg_is_never_run(alone: RunningMock, page: "Page") -> None:
    (uuid,) = send(
        alone, {"taskType": "vectorize", "taskUUID": new_uuid(), "inputs": {"image": upload(png())["image"]}}
    )
    script = b'<svg xmlns="http://www.w3.org/2000/svg"><script>document.title="hacked"</script></svg>'
    with alone.services.database.writing() as connection:
        connection.execute(update(content).where(content.c.format == "svg").values(bytes=script))
    page.goto(f"{alone.url}/ui/media/{uuid}")
    file = page.request.get(alone.url + str(page.locator("figure img").get_attribute("src")))
    assert "sandbox" in file.headers["content-security-policy"]
    page.get_by_role("link", name="Open the file").click()
    page.wait_for_url("**/image/**")
    assert page.title() == ""


def test_the_page_needs_the_token_once(page: "Page") -> None:
    with running_mock(control_token="open sesame") as mock:  # noqa: S106 - a test's
        assert page.goto(mock.url).status == 403  # type: ignore[union-attr] # it navigates
        page.get_by_text("this server has a --control-token").wait_for()
        page.goto(f"{mock.url}/?token=open+sesame")
        page.get_by_role("link", name="Controls").click()
        page.get_by_role("button", name="Freeze").click()
        page.get_by_role("button", name="Resume").wait_for()
