"""An object storage that cannot be used is told in one line that names it, before anything is served."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.objects.s3_server import BUCKET, CREDENTIALS, SECRET
from tests.process.ports import free_port
from tests.running import clean_environment, mock_process, run_command

COMMANDS = ("serve", "purge")


def assert_refused(command: str, data_dir: Path, url: str, problem: str, **variables: str) -> None:
    """Run a command that must fail in one line."""
    port = ["--port=0"] if command == "serve" else []
    ended = run_command(command, *port, f"--data-dir={data_dir}", f"--content-url={url}", **variables)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"runware-mock: cannot use the object storage {url}: {problem}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_bucket_that_there_is_not(s3_url: str, tmp_path: Path, command: str) -> None:
    variables = {**CREDENTIALS, "AWS_ENDPOINT_URL": s3_url}
    assert_refused(command, tmp_path, "s3://no-such-bucket/prefix", "NoSuchBucket", **variables)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_that_is_not_there(s3_url: str, tmp_path: Path, command: str) -> None:
    assert s3_url
    variables = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    assert_refused(command, tmp_path, f"s3://{BUCKET}", "nothing answers at its address", **variables)


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_no_credentials(s3_url: str, tmp_path: Path, missing: str) -> None:
    problem = "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    variables = {**CREDENTIALS, missing: "", "AWS_ENDPOINT_URL": s3_url}
    assert_refused("serve", tmp_path, f"s3://{BUCKET}", problem, **variables)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    assert_refused("serve", tmp_path, (tmp_path / "taken").as_uri(), "Not a directory")


_WITHOUT_LIBRARY = """
import sys
sys.modules["obstore"] = None
from runware_mock.cli import main
main(sys.argv[1:])
"""


def test_the_extra_is_named_where_it_is_missing(tmp_path: Path) -> None:
    arguments = ("serve", "--port=0", f"--data-dir={tmp_path}", f"--content-url=s3://{BUCKET}")
    ended = subprocess.run(
        [sys.executable, "-c", _WITHOUT_LIBRARY, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=clean_environment(**CREDENTIALS),
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        f"runware-mock: cannot use the object storage s3://{BUCKET}: S3 needs the extra s3: run "
        "pip install '.[s3]' in the checkout\n"
    )


@pytest.mark.parametrize(
    "url",
    [
        f"s3://key:{SECRET}@{BUCKET}/prefix",
        f"s3://{BUCKET}?secret_access_key={SECRET}",
        f"s3://{BUCKET}?endpoint=http://key:{SECRET}@127.0.0.1",
    ],
)
def test_credentials_in_the_address_are_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    ended = run_command("serve", "--port=0", f"--data-dir={tmp_path}", RUNWARE_MOCK_CONTENT_URL=url)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("runware-mock: bad value for --content-url (or RUNWARE_MOCK_CONTENT_URL): ")
    assert SECRET not in line


def test_region_and_endpoint_come_from_the_environment_and_no_secret_is_shown(s3_url: str, tmp_path: Path) -> None:
    variables = {**CREDENTIALS, "AWS_ENDPOINT_URL": s3_url, "RUNWARE_MOCK_CONTENT_URL": f"s3://{BUCKET}/a prefix"}
    with mock_process(tmp_path, "--log-level=debug", **variables) as server:
        printed = "".join(server.started)
        assert f"--content-url s3://{BUCKET}/a prefix\n" in printed
        printed += server.stop()
    assert SECRET not in printed
    assert CREDENTIALS["AWS_ACCESS_KEY_ID"] not in printed


def test_a_server_without_object_storage_loads_nothing_for_it(tmp_path: Path) -> None:
    code = (
        "import sys; from runware_mock.app import create_app; from runware_mock.settings import Settings; "
        f"create_app(Settings(data_dir={str(tmp_path)!r})); "
        "print({'obstore', 'runware_mock.storage.s3'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"
