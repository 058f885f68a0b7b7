"""Media that are there from the start: stable UUIDs, ages and owners, and a clear word where they cannot be."""

import json
import re
from pathlib import Path

import pytest

from runware_mock.control.seeding import Manifest
from tests.control.calling import calling
from tests.pictures import png
from tests.running import mock_process, run_command, running_mock
from tests.talking import new_uuid, talking

UUID = "11111111-1111-4111-8111-111111111111"


def test_a_folder_is_stored_for_the_key_that_is_accepted_under_the_same_uuids_every_time(tmp_path: Path) -> None:
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / "cat.png").write_bytes(png())
    (tmp_path / "dog.png").write_bytes(png())
    (tmp_path / ".hidden").write_bytes(b"not looked at")
    found = []
    for _ in range(2):
        with running_mock(fixtures=tmp_path, api_key=("the-key",)) as mock, calling(mock, "the-key") as control:
            found.append({medium["uuid"] for medium in control.get("/media")["media"]})
    assert found[0] == found[1]
    assert len(found[0]) == 2


def test_a_manifest_names_uuid_age_and_owner(tmp_path: Path, transport: str) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    listed = [{"file": "cat.png", "uuid": UUID, "age": "29d"}, {"file": "cat.png", "owner": "somebody else"}]
    (tmp_path / "manifest.json").write_text(json.dumps({"owner": "me", "media": listed}))
    with (
        running_mock(fixtures=tmp_path / "manifest.json") as mock,
        calling(mock, "me") as mine,
        calling(mock, "somebody else") as others,
        talking(mock, transport, "me") as talker,
    ):
        assert mine.get(f"/media/{UUID}")["time_left"] == "1d"
        assert others.get("/media")["total"] == 1
        assert talker.ask({"taskType": "caption", "taskUUID": new_uuid(), "inputImage": UUID}).item


def test_media_without_an_owner_belong_to_the_key_that_the_readme_uses(tmp_path: Path) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    (key,) = set(re.findall(r"RUNWARE_API_KEY=(\S+)", readme))
    (tmp_path / "cat.png").write_bytes(png())
    with running_mock(fixtures=tmp_path) as mock, calling(mock, key) as control:
        assert control.get("/media")["total"] == 1


def test_the_documented_schema_of_the_manifest_is_the_one_it_is_checked_by() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "fixtures-and-snapshots.md").read_text(encoding="utf-8")
    written = page.split("## Schema of the manifest")[1].split("```json\n")[1].split("```")[0]
    assert json.loads(written) == Manifest.model_json_schema(), json.dumps(Manifest.model_json_schema(), indent=2)


def test_an_empty_folder_refuses_to_start_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run_command("serve", "--port", "0", "--in-memory", "--fixtures", str(tmp_path / "empty"))
    assert done.returncode == 2
    assert done.stderr.endswith("there is nothing to store: put pictures there, or list some in manifest.json\n")


def test_a_restart_with_the_same_fixtures_makes_them_young_again(tmp_path: Path) -> None:
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    pictures.mkdir()
    (pictures / "cat.png").write_bytes(png())
    for _ in range(2):
        with (
            running_mock(fixtures=pictures, api_key=("the-key",), data_dir=data) as mock,
            calling(mock, "the-key") as control,
        ):
            assert control.get("/forecast", **{"in": "29d"})["would_purge"]["media"] == 0
            assert control.get("/media")["total"] == 1


@pytest.mark.parametrize(
    ("manifest", "field"),
    [
        ("nonsense", "manifest"),
        ("[]", "manifest"),
        ('{"media": {}}', "media"),
        ('{"media": [{}]}', "media[0].file"),
        ('{"media": [{"file": "cat.png", "name": "x"}], "owner": "me"}', "media[0].name"),
        ('{"media": [{"file": "cat.png", "uuid": "x"}], "owner": "me"}', "media[0].uuid"),
        ('{"media": [{"file": "cat.png", "age": "x"}], "owner": "me"}', "media[0].age"),
        ('{"media": [{"file": "cat.png", "owner": ""}]}', "media[0].owner"),
        ('{"media": [{"file": "cat.png"}, {"file": "cat.png"}], "owner": "me"}', "media[1]"),
        ('{"media": [{"file": "cat\\u0000.png"}], "owner": "me"}', "media[0]"),
        ('{"media": [{"file": "cat.png", "unchanged": "perhaps"}]}', "media[0].unchanged"),
        ('{"media": [{"file": "missing.png"}], "owner": "me"}', "media[0]"),
        ('{"media": [{"file": "manifest.json"}], "owner": "me"}', "media[0]"),
    ],
)
def test_what_cannot_be_stored_refuses_to_start_and_says_where(tmp_path: Path, manifest: str, field: str) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    (tmp_path / "manifest.json").write_text(manifest)
    done = run_command("serve", "--port", "0", "--in-memory", "--fixtures", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("runware-mock: bad value for --fixtures: ")
    assert field in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        ('{"media": [{"file": "cat.png", "aeg": "1d"}]}', "there is no field 'aeg'; did you mean age?"),
        ('{"media": [{"fle": "cat.png"}]}', "there is no field 'fle'; did you mean file?"),
        ('{"media": [{}]}', "the field media[0].file is missing"),
        ('{"media": [{"file": "cat.png", "age": "29"}]}', "manifest.json: 29 has no unit: write 29s, 29m or 29d"),
        ('{"media": [{"file": "cat.png", "uuid": "x"}]}', "media[0].uuid must be a UUID; it is 'x'"),
        ('{"media": [{"file": "cat.png"}], "ownr": "abc"}', "there is no field 'ownr'; did you mean owner?"),
        ("[]", "this must be a JSON object"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_a_sentence_with_the_nearest_name(
    tmp_path: Path, manifest: str, sentence: str
) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    (tmp_path / "manifest.json").write_text(manifest)
    done = run_command("serve", "--port", "0", "--in-memory", "--fixtures", str(tmp_path))
    assert done.stderr.endswith(f"{sentence}\n")


def test_fixtures_that_are_not_there_refuse_to_start() -> None:
    done = run_command("serve", "--port", "0", "--in-memory", "--fixtures", "no/such/folder")
    assert done.returncode == 2
    assert "--fixtures (or RUNWARE_MOCK_FIXTURES)" in done.stderr


@pytest.mark.full
def test_a_server_is_ready_only_when_its_fixtures_are_stored(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "cat.png").write_bytes(png())
    with mock_process(tmp_path, "--fixtures", str(pictures), "--api-key", "the-key") as process:
        assert process.started[-1].startswith("runware-mock ready on")
        with calling(process, "the-key") as control:
            assert control.get("/media")["total"] == 1
