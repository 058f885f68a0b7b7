"""A failure in one file: written by the plugin or the command, shown and replayed by `runware-mock open`."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runware_mock import RunwareMock, bundles
from runware_mock.cli import main
from tests.examples.application import Application
from tests.pictures import png

FAILS = """
import app, pytest

def test_fails(runware_mock):
    runware_mock.faults.plan({"kind": "error", "code": "invalidImage", "nth": 2})
    assert app.upload(runware_mock)["data"]
    assert app.upload(runware_mock)["data"]

def test_is_not_met(runware_mock):
    runware_mock.faults.plan({"kind": "reset"}, name="resets")

def test_passes(runware_mock):
    app.upload(runware_mock)
"""


def opened(file: Path) -> Result:
    return CliRunner().invoke(main, ["open", "--no-page", str(file)])


def test_each_test_that_fails_leaves_a_file_that_repeats_it(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=FAILS)
    result = project.runpytest("--runware-mock-bundle", "failed")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["look at it with: runware-mock open failed/test_it.py-test_fails.zip"])
    folder = project.path / "failed"
    assert {file.name for file in folder.iterdir()} == {"test_it.py-test_fails.zip", "test_it.py-test_is_not_met.zip"}
    shown = opened(folder / "test_it.py-test_fails.zip")
    assert shown.exit_code == 0, shown.output
    assert "test: test_it.py::test_fails" in shown.stdout.splitlines()
    assert shown.stdout.splitlines()[-1] == "replayed 2 tasks: no difference"
    with zipfile.ZipFile(folder / "test_it.py-test_is_not_met.zip") as archive:
        assert [plan["name"] for plan in json.loads(archive.read("state.json"))["fault_plan"]] == ["resets"]


@pytest.fixture
def bundle(runware_mock: RunwareMock, tmp_path: Path) -> Path:
    """A bundle of an account that stored two pictures, used one, and met a fault."""
    runware_mock.media.add(png())
    runware_mock.faults.plan({"kind": "drop", "nth": 1})
    application = Application(runware_mock.env())
    application.describe(application.upload(png(300, 200)))
    application.close()
    arguments = ["export", "--bundle", str(tmp_path / "bundle.zip"), "--account", runware_mock.api_key]
    result = CliRunner().invoke(main, [*arguments, "--url", runware_mock.url])
    assert result.exit_code == 0, result.output
    return tmp_path / "bundle.zip"


def changed(file: Path, name: str, old: str, new: str) -> None:
    """Change the text of one part of a bundle."""
    parts = {}
    with zipfile.ZipFile(file) as archive:
        for part in archive.namelist():
            parts[part] = archive.read(part)
    assert old.encode() in parts[name]
    parts[name] = parts[name].replace(old.encode(), new.encode())
    with zipfile.ZipFile(file, "w") as archive:
        for part, data in parts.items():
            archive.writestr(part, data)


def test_what_an_account_holds_is_replayed_from_its_start(bundle: Path) -> None:
    # The upload, its second try, the result that was asked for, and the use of the picture.
    assert opened(bundle).stdout.splitlines()[-1] == "replayed 4 tasks: no difference"


def test_the_first_difference_is_printed(bundle: Path) -> None:
    changed(bundle, "state.json", '\\"taskType\\":\\"caption\\"', '\\"taskType\\":\\"imageCaption\\",\\"more\\":1')
    result = opened(bundle)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("first difference: task 4 of 4, caption ")


@pytest.mark.parametrize(
    ("part", "old", "new", "message"),
    [
        ("bundle.json", '"bundle": 1', '"bundle": 2', "bundle: this version reads format 1, not 2"),
        ("state.json", '"version":"', '"version":"9', "version: "),
        ("bundle.json", "{", "[", "this is not a bundle: "),
    ],
)
def test_a_bundle_of_another_version_is_refused_in_one_line(
    bundle: Path, part: str, old: str, new: str, message: str
) -> None:
    changed(bundle, part, old, new)
    result = opened(bundle)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"runware-mock: {bundle}: {message}")


def test_a_damaged_bundle_is_refused_in_plain_words(bundle: Path) -> None:
    data = bundle.read_bytes()
    assert data.count(b'"journal"') == 1
    bundle.write_bytes(data.replace(b'"journal"', b'"jOurnal"'))
    result = opened(bundle)
    assert result.exit_code == 2
    assert result.stderr == (
        f"runware-mock: {bundle}: this is not an archive that runware-mock exported, or it is damaged: "
        "Bad CRC-32 for file 'state.json'\n"
    )


def test_what_is_no_bundle_is_refused(runware_mock: RunwareMock) -> None:
    with pytest.raises(bundles.BundleUnusable, match="this is not a bundle: File is not a zip file"):
        bundles.unpack(b"no zip")
    with pytest.raises(bundles.BundleUnusable, match="write one with `runware-mock export --bundle FILE`"):
        bundles.unpack(runware_mock.control.export())


def test_no_secret_of_the_settings_is_in_a_bundle() -> None:
    from runware_mock import serve

    with serve(control_token="the-secret-token") as mock:  # noqa: S106 - of a test
        data = bundles.pack(mock.control)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert all(b"the-secret-token" not in archive.read(name) for name in archive.namelist())
        assert set(json.loads(archive.read("bundle.json"))["settings"]) >= {"control_token"}
