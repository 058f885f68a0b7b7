"""The npm package, built, packed and installed into an application of its own."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.sdks.catalogue import ENVIRONMENTS, clean_environment

CLIENT = Path(__file__).parents[2] / "clients" / "node"
INSTALLED = ENVIRONMENTS / "node-client"
RUN_LIMIT_S = 90


@dataclass(frozen=True)
class Application:
    """A project whose node_modules hold the packed package and its test runners."""

    package: Path
    folder: Path
    packed: frozenset[str]

    def run(
        self, program: str, *arguments: str, inside: str = ".", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of an installed package: `run("vitest/vitest.mjs", "run", inside="tests/vitest")`."""
        return node(self.folder / inside, str(self.folder / "node_modules" / program), *arguments, **variables)


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a program; the command `runware-mock` of this Python is on its PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**clean_environment(), "PATH": path, "CI": "1", "NO_COLOR": "1", **variables}


def node(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Node in a folder."""
    return subprocess.run(
        [shutil.which("node") or "node", *arguments],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT_S,
        check=False,
    )


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """Build the package, pack it, and unpack it where an application would have it."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("the npm package needs Node and npm, which are not on this machine")
    if not (INSTALLED / ".installed").is_file():
        pytest.skip("the tools of the npm package are not installed in .sdks/node-client: run `make sdks`")
    package, folder = tmp_path_factory.mktemp("package") / "node", tmp_path_factory.mktemp("application")
    shutil.copytree(CLIENT, package, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (package / "node_modules").symlink_to(INSTALLED / "node_modules")
    built = node(package, "node_modules/typescript/bin/tsc")
    assert built.returncode == 0, built.stdout
    command = [npm, "pack", "--json", "--ignore-scripts", "--pack-destination", str(folder)]
    printed = subprocess.run(command, cwd=package, capture_output=True, text=True, check=True).stdout
    packed = _first(json.loads(printed))
    modules = folder / "node_modules"
    modules.mkdir()
    for installed in (INSTALLED / "node_modules").iterdir():
        (modules / installed.name).symlink_to(installed)
    with tarfile.open(folder / packed["filename"]) as archive:
        archive.extractall(modules, filter="data")
    (modules / "package").rename(modules / "runware-mock")
    shutil.copytree(CLIENT / "tests", folder / "tests", ignore=shutil.ignore_patterns("node_modules"))
    shutil.copy(CLIENT / "tsconfig.json", folder)
    return Application(package, folder, frozenset(file["path"] for file in packed["files"]))


def _first(printed: Any) -> dict[str, Any]:
    """Return what `npm pack` says of its one package: some versions print a list, others an object by name."""
    found: dict[str, Any] = next(iter(printed.values() if isinstance(printed, dict) else printed))
    return found
