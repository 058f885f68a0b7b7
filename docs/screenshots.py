"""Take the README's pictures of the page from a real run: `make screenshots`."""

import base64
import io
import shutil
import uuid
from pathlib import Path

import httpx
from PIL import Image, ImageDraw
from playwright.sync_api import sync_playwright

import runware_mock

HERE = Path(__file__).resolve().parent
WINDOW_PX = {"width": 1280, "height": 800}
COLORS = ("teal", "orange", "indianred", "slateblue", "olive", "steelblue", "darkorchid")


def photo(number: int) -> bytes:
    """Paint a landscape."""
    image = Image.linear_gradient("L").resize((2600, 1700)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 1000, 2600, 1700), COLORS[number % len(COLORS)])
    draw.ellipse((300 + 250 * number, 250, 700 + 250 * number, 650), "gold")
    draw.polygon([(400, 1000), (1100, 380), (1800, 1000)], "dimgray")
    out = io.BytesIO()
    image.save(out, ("JPEG", "PNG", "WEBP")[number % 3])
    return out.getvalue()


def fill(mock: runware_mock.RunwareMock) -> None:
    """Let an application do some work."""

    def task(task_type: str, **fields: object) -> dict[str, object]:
        return {"taskType": task_type, "taskUUID": str(uuid.uuid4()), **fields}

    def send(*tasks: dict[str, object]) -> list[dict[str, str]]:
        answer = httpx.post(mock.rest_url, json=tasks, headers={"Authorization": f"Bearer {mock.api_key}"}, timeout=60)
        items: list[dict[str, str]] = answer.json()["data"]
        return items

    uploaded = send(*(task("imageUpload", image=base64.b64encode(photo(n)).decode()) for n in range(5)))
    image = uploaded[0]["imageUUID"]
    send(
        task("imageInference", positivePrompt="a lighthouse at dawn", model="runware:101@1", width=768, height=512),
        task("removeBackground", inputImage=image),
        task("controlNetPreprocess", inputImage=image, preProcessorType="canny"),
        task("caption", inputImage=image),
        task("imageUpload", image="/home/me/photo.png"),
    )


def main() -> None:
    """Write docs/gallery.png and docs/journal.png."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with runware_mock.serve() as mock, sync_playwright() as playwright:
        fill(mock)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=WINDOW_PX)  # type: ignore[arg-type] # a window's size
        for name, path in (("gallery", "/"), ("journal", "/ui/journal")):
            page.goto(mock.url + path)
            page.locator('#live[data-state="live"]').wait_for()
            if name == "journal":
                page.locator(".entry > summary", has=page.locator(".outcome.error")).click()
            page.evaluate("() => Promise.all([...document.images].map(one => one.decode()))")
            page.screenshot(path=HERE / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
