"""What is shipped: the container image's recipe, the compose file, the lock file and the wheel."""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml  # type: ignore[import-untyped]

from runware_mock.storage.migrations import HEAD
from runware_mock.storage.sqlite import FILE_NAME
from runware_mock.version import __version__
from tests.running import clean_environment

ROOT = Path(__file__).parents[2]
# The oldest that reads our pyproject.toml.
SETUPTOOLS_MAJOR = 77


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile's last stage."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    parsed = [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]
    last_from = max(position for position, (name, _) in enumerate(parsed) if name == "FROM")
    return parsed[last_from:]


def the(name: str) -> str:
    """Return what the only instruction of this name says."""
    (said,) = [rest for found, rest in instructions() if found == name]
    return said


def test_the_image_runs_as_a_user_that_is_not_root() -> None:
    user = the("USER")
    assert int(user) > 0
    assert f"--uid {user}" in the("RUN")
    assert [name for name, _ in instructions()].index("RUN") < [name for name, _ in instructions()].index("USER")


def test_the_image_tells_when_it_is_healthy_and_stops_on_sigterm() -> None:
    assert re.fullmatch(r'(--\S+ )*CMD \["runware-mock", "ready"\]', the("HEALTHCHECK"))
    assert the("STOPSIGNAL") == "SIGTERM"
    assert (the("ENTRYPOINT"), the("CMD")) == ('["runware-mock"]', '["serve"]')


def test_the_image_keeps_its_data_in_a_volume_and_listens_for_the_host() -> None:
    settings = dict(pair.split("=", 1) for pair in the("ENV").split())
    assert settings["RUNWARE_MOCK_DATA_DIR"] == the("VOLUME") == "/data"
    assert settings["RUNWARE_MOCK_HOST"] == "0.0.0.0"  # noqa: S104 - inside a container
    assert the("EXPOSE") == "8080"


def test_nothing_is_installed_in_the_last_stage() -> None:
    assert not re.search(r"\b(pip|apt|apt-get|uv)\b", " ".join(rest for _, rest in instructions()))
    assert "--constraint requirements.lock" in (ROOT / "Dockerfile").read_text()


def test_the_image_has_every_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (installed,) = re.findall(r"'\.\[(.+)\]'", (ROOT / "Dockerfile").read_text())
    assert set(installed.split(",")) == extras.keys() - {"dev"}


def test_everything_the_image_is_built_from_gets_past_the_ignore_file() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert "*" in ignored
    assert {name for names in copied for name in names.split()} == let_in
    for name in let_in:
        assert (ROOT / name).exists()


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_the_compose_file_serves_this_machine_alone_and_keeps_the_data() -> None:
    assert compose().keys() == {"services", "volumes"}
    service = compose()["services"]["runware-mock"]
    assert service["ports"] == ["127.0.0.1:8080:8080"]
    ((volume, folder),) = [mount.split(":") for mount in service["volumes"]]
    assert volume in compose()["volumes"]
    assert folder == the("VOLUME")
    assert service["restart"] == "unless-stopped"


def test_the_compose_file_checks_the_health_and_writes_only_data_and_temporary_files() -> None:
    service = compose()["services"]["runware-mock"]
    assert service["healthcheck"]["test"] == ["CMD", "runware-mock", "ready"]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - of the container
    known = {
        *("build", "cap_drop", "environment", "healthcheck", "image", "ports", "read_only", "restart", "security_opt"),
        *("stop_grace_period", "tmpfs", "volumes"),
    }
    assert service.keys() <= known


def test_the_lock_file_pins_every_package_to_a_version_and_to_no_place() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert len(lines) > 20
    for line in lines:
        assert re.fullmatch(r"[a-z0-9._-]+==[^\s:/]+( ; .+)?", line), line
        assert "://" not in line


@pytest.mark.parametrize("folder", ["bench/node", "clients/node", "tests/sdks/ai", "tests/sdks/js"])
def test_the_lock_files_of_npm_name_no_address(folder: str) -> None:
    lock = (ROOT / folder / "package-lock.json").read_text()
    assert len(json.loads(lock)["packages"]) > 1
    assert "://" not in lock


def source_tree(tree: Path) -> Path:
    """Copy into a folder what a wheel is built from."""
    for name in ("migrations", "server"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("LICENSE", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tree)
    return tree


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the tree, so that the tree stays clean."""
    found = next((part.version for part in distributions(name="setuptools")), "0")
    if int(found.partition(".")[0]) < SETUPTOOLS_MAJOR:
        pytest.skip(f"needs setuptools of version {SETUPTOOLS_MAJOR} or newer")
    tree = source_tree(tmp_path_factory.mktemp("tree"))
    build = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", build, "dist"], cwd=tree, check=True, capture_output=True)
    (built,) = (tree / "dist").iterdir()
    return built


@pytest.mark.full
def test_the_wheel_holds_every_module_the_migrations_and_the_type_marker(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = ROOT / "server" / "runware_mock"
    expected = {f"runware_mock/{file.relative_to(package)}" for file in package.rglob("*.py")}
    migrations = ROOT / "migrations"
    expected |= {f"runware_mock/migrations/{file.relative_to(migrations)}" for file in migrations.rglob("*.py")}
    assert expected <= shipped
    assert {"runware_mock/py.typed", "runware_mock/migrations/script.py.mako"} <= shipped
    assert {name.partition("/")[0] for name in shipped} == {"runware_mock"}


@pytest.mark.full
def test_the_wheel_works_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True, cwd=tmp_path, env=clean_environment(PYTHONPATH=""))
    # What it depends on is borrowed from the running environment, after its own packages and without its `.pth` files.
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))

    def run(*arguments: str) -> str:
        ended = subprocess.run(
            [str(environment / "bin" / arguments[0]), *arguments[1:]],
            check=True,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=clean_environment(PYTHONPATH=""),
        )
        return ended.stdout

    where = "import runware_mock, runware_mock.migrations as m; print(runware_mock.__file__, *m.__path__)"
    for path in run("python", "-c", where).split():
        assert Path(path).is_relative_to(packages)
    assert run("runware-mock", "--version") == f"runware-mock, version {__version__}\n"
    # An empty database that Alembic has touched: only the shipped migrations can fill it.
    prepare = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE alembic_version (version_num)')"
    run("python", "-c", prepare, FILE_NAME)
    assert run("runware-mock", "migrate", "--data-dir", ".") == f"{FILE_NAME} is at version {HEAD}\n"
