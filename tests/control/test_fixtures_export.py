"""What an account holds as a folder that `--fixtures` reads back: the same UUIDs, the same bytes, the same ages."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from runware_mock.cli import main
from tests import plain
from tests.control.calling import Calls, calling
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import Talker, upload
from tests.tasks.asking import task, using

Export = Callable[..., Result]


@pytest.fixture
def export(mock: RunningMock, api_key: str) -> Export:
    """Run `runware-mock export` for the test's account."""
    environment = {"RUNWARE_MOCK_URL": mock.url, "RUNWARE_API_KEY": api_key}
    return lambda *arguments: CliRunner(env=environment).invoke(main, ["export", *map(str, arguments)])


def held(control: Calls) -> dict[str, tuple[Any, ...]]:
    """Return what an account has, by UUID: the bytes, the time left, the format and the size."""
    media = control.get("/media")["media"]
    facts = ("time_left", "format", "width_px", "height_px")
    return {one["uuid"]: (plain.get(one["url"]).content, *(one[name] for name in facts)) for one in media}


def test_an_account_becomes_fixtures_that_give_the_same_media(
    talker: Talker, control: Calls, api_key: str, export: Export, tmp_path: Path
) -> None:
    control.post("/clock/freeze")
    same = png()
    picture = talker.ask(upload(same)).item["imageUUID"]
    control.post("/clock/advance", by="2d3h4.567s")
    talker.ask(upload(same), upload(png(3000, 10)))
    talker.ask(using("vectorize", picture), task("audioInference", positivePrompt="rain", model="elevenlabs:1@1"))
    control.post("/clock/advance", by="27d")
    before = held(control)
    folder = tmp_path / "fixtures"
    done = export("--fixtures", folder)
    assert (done.exit_code, "5 media" in done.stdout) == (0, True), done.output
    with running_mock(fixtures=folder, api_key=(api_key,)) as mock, calling(mock, api_key) as there:
        assert held(there) == before
    # Two media of the same content share a file.
    assert sorted(file.suffix for file in folder.iterdir()) == [".json", ".png", ".png", ".svg", ".wav"]


def test_a_result_beyond_the_size_of_an_upload_stays_as_it_is(
    talker: Talker, control: Calls, api_key: str, export: Export, tmp_path: Path
) -> None:
    uuid = talker.ask(upload(png(700, 10))).item["imageUUID"]
    large = talker.ask(using("upscale", uuid) | {"upscaleFactor": 4}).item["imageUUID"]
    before = held(control)
    assert Image.open(io.BytesIO(before[large][0])).width == 2800
    export("--fixtures", tmp_path)
    archive = control.client.get("/export").content
    with running_mock(fixtures=tmp_path, api_key=(api_key,)) as mock, calling(mock, api_key) as there:
        assert {uuid: facts[0] for uuid, facts in held(there).items()} == {one: before[one][0] for one in before}
        assert there.post("/import", content=archive)["media"] == 2
        assert held(there)[large][0] == before[large][0]


def test_what_has_expired_or_is_anothers_is_left_out(
    mock: RunningMock, talker: Talker, control: Calls, api_key: str
) -> None:
    talker.ask(upload(png()))
    control.post("/clock/freeze")
    picture = png(20, 20)
    kept = control.post("/media", content=picture)["uuid"]
    control.post(f"/media/{talker.ask(upload(png(30, 30))).item['imageUUID']}/expire")
    control.delete(f"/media/{control.get('/media')['media'][-1]['uuid']}")
    with calling(mock, f"another-{api_key}") as other:
        other.post("/media", content=png())
    answer = control.client.get("/export/fixtures")
    assert 'filename="fixtures.zip"' in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert json.loads(archive.read("manifest.json")) == {
            "media": [{"file": f"{kept}.png", "uuid": kept, "age": "0s"}]
        }
        assert archive.read(f"{kept}.png") == picture
    assert api_key.encode() not in answer.content


def test_the_page_has_a_link_to_the_fixtures_of_the_account(mock: RunningMock, control: Calls) -> None:
    control.post("/media", content=png())
    account_id = control.get("/media")["media"][0]["account"]
    link = f"/_mock/export/fixtures?account={account_id}"
    page = plain.get(f"{mock.url}/ui/controls?account={account_id}", headers={"Accept": "text/html"})
    assert f'href="{link}"' in page.text
    assert plain.get(mock.url + link).content.startswith(b"PK")


def test_an_account_without_media_has_nothing_to_export(control: Calls, export: Export, tmp_path: Path) -> None:
    status, error = control.refused("GET", "/export/fixtures")
    assert (status, error["code"], error["field"]) == (404, "notFound", "media")
    done = export("--fixtures", tmp_path / "new")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no media that could be exported: upload or add one first" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_not_empty_stays_as_it_is(control: Calls, export: Export, tmp_path: Path) -> None:
    control.post("/media", content=png())
    (tmp_path / "mine.txt").write_text("mine")
    done = export("--fixtures", tmp_path)
    assert (done.exit_code, done.stderr) == (
        1,
        f"runware-mock: {tmp_path} is not empty: name a new folder, or empty it first\n",
    )
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_told_in_one_line(control: Calls, export: Export, tmp_path: Path) -> None:
    control.post("/media", content=png())
    done = export("--fixtures", tmp_path / "missing" / "folder")
    assert (done.exit_code, "cannot write" in done.stderr, len(done.stderr.splitlines())) == (1, True, 1)


@pytest.mark.parametrize("arguments", [(), ("state.zip", "--fixtures", "folder")])
def test_an_export_is_of_the_state_or_of_fixtures(export: Export, arguments: tuple[str, ...]) -> None:
    done = export(*arguments)
    assert (done.exit_code, "name either a FILE" in done.stderr) == (2, True)
