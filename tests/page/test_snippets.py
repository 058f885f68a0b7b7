"""The code that the page offers runs as copied; the addresses of APIs lead a browser to their documentation."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from runware_mock.api.ui.pages import EXAMPLE_KEY
from runware_mock.commands.media import sample
from tests import plain
from tests.page.opening import KEY
from tests.pictures import png
from tests.running import RunningMock, clean_environment, running_mock
from tests.sdks.catalogue import PY_LEGACY, SDK_JS
from tests.talking import talking, upload

BROWSER = {"Accept": "text/html"}


def offered(url: str, title: str) -> str:
    """Return the code of a title on a page, as a person would copy it."""
    page = plain.get(url, headers=BROWSER).text
    (code,) = re.findall(f'<pre tabindex="0" aria-label="{title}">(.*?)</pre>', page, re.DOTALL)
    return html.unescape(code)


def run(title: str, code: str, folder: Path, **environment: str) -> str:
    """Run an example, and return what it prints."""
    if title == "JavaScript":
        (folder / "node_modules").symlink_to(SDK_JS.home / "node_modules")
        (folder / "example.mjs").write_text(code)
        command, code = [str(SDK_JS.interpreter()), "example.mjs"], ""
    else:
        command = ["bash"] if title == "curl" else [str(PY_LEGACY.interpreter()), "-"]
        if shutil.which(command[0]) is None or (title == "curl" and shutil.which("curl") is None):
            pytest.skip(f"{title} is not on this machine")
    done = subprocess.run(
        command,
        input=code,
        cwd=folder,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("title", ["curl", "Python", "JavaScript"])
def test_the_first_upload_runs_as_copied(title: str, tmp_path: Path) -> None:
    assert sample.callback is not None
    sample.callback(tmp_path / "photo.jpg")
    with running_mock() as mock:
        printed = run(title, offered(mock.url, title), tmp_path)
        assert f"{mock.url}/image/ii/" in printed


@pytest.mark.parametrize("title", ["curl", "Python", "JavaScript"])
def test_a_medium_is_used_as_copied(title: str, tmp_path: Path, mock: RunningMock) -> None:
    with talking(mock, "rest", KEY) as talker:
        uuid = talker.ask(upload(png())).item["imageUUID"]
        code = offered(f"{mock.url}/ui/media/{uuid}", title)
        assert f"{mock.url}/image/ii/" in run(title, code, tmp_path, RUNWARE_API_KEY=KEY)


def test_a_server_with_keys_of_its_own_offers_none() -> None:
    with running_mock(api_key=[KEY]) as mock:
        page = plain.get(mock.url, headers=BROWSER).text
        assert EXAMPLE_KEY not in page
        assert "Bearer $RUNWARE_API_KEY" in html.unescape(page)


def test_a_plan_is_made_again_as_copied(tmp_path: Path) -> None:
    with running_mock() as mock:
        fault = {"kind": "http", "headers": {"Retry-After": "7"}, "body": "it's late", "times": 3}
        made = plain.post(f"{mock.url}/_mock/faults", json={"name": "late", "faults": [fault]}).json()
        code = offered(f"{mock.url}/ui/controls", "curl")
        plain.request("DELETE", f"{mock.url}/_mock/faults").raise_for_status()
        run("curl", code, tmp_path)
        assert plain.get(f"{mock.url}/_mock/faults").json()["plans"] == [made]


def test_an_account_that_is_not_there_is_named(mock: RunningMock) -> None:
    for path in ("/", "/ui/journal", "/ui/controls"):
        answer = plain.get(f"{mock.url}{path}?account=99999", headers=BROWSER)
        assert (answer.status_code, "there is no account 99999" in answer.text) == (404, True)


@pytest.mark.parametrize(("path", "status"), [("/v1", 405), ("/v1/", 405), ("/_mock", 404), ("/_mock/", 404)])
def test_the_address_of_an_api_leads_a_browser_to_its_documentation(mock: RunningMock, path: str, status: int) -> None:
    assert plain.get(mock.url + path).status_code == status
    led = plain.get(mock.url + path, headers=BROWSER, follow_redirects=True)
    assert (led.status_code, led.url.path) == (200, "/docs")
    assert "[The page](/)" in plain.get(f"{mock.url}/openapi.json").json()["info"]["description"]
