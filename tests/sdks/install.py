"""Install each official SDK, and what else the tests run, into an environment of its own under `.sdks/`.

Both Python SDKs are imported as `runware`, so one environment cannot hold both.
Run it again at any time: an environment whose pinned files have not changed is left alone.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parents[1] / ".sdks"
STAMP = ".installed"
INSTALL_LIMIT_S = 600


@dataclass(frozen=True)
class Environment:
    """One SDK's environment: where its pins are and how they are installed."""

    name: str
    pinned: tuple[str, ...]
    install: Callable[[Path, Path], None]
    # Where the pinned files are, if not in a folder of this name beside this file.
    folder: Path | None = None

    @property
    def source(self) -> Path:
        """The folder that holds the pinned files."""
        return self.folder or HERE / self.name

    @property
    def target(self) -> Path:
        """The folder that becomes the environment."""
        return ENVIRONMENTS / self.name

    def fingerprint(self) -> str:
        """Change when the pins change, or the Python that the packages were built for."""
        digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
        for name in self.pinned:
            digest.update((self.source / name).read_bytes())
        return digest.hexdigest()

    def is_ready(self) -> bool:
        """Say whether an earlier run has finished with these very pins."""
        stamp = self.target / STAMP
        return stamp.is_file() and stamp.read_text() == self.fingerprint()


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run an installer; its output goes to the terminal, its failure is ours."""
    subprocess.run([str(part) for part in command], cwd=cwd, check=True, timeout=INSTALL_LIMIT_S)


def install_python(source: Path, target: Path) -> None:
    """Make a virtual environment of exactly the pinned packages."""
    venv.create(target, with_pip=True)
    python = target / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check", "--quiet")
    # Without --no-deps a package missing from the pins would come in at any version.
    run(*pip, "install", "--no-deps", "--requirement", source / "requirements.txt")
    run(*pip, "check")


def install_node(source: Path, target: Path) -> None:
    """Make a folder with node_modules of exactly the locked packages."""
    target.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, target / name)
    npm = shutil.which("npm") or "npm"
    # No package here needs its install script; bufferutil, the only one with any, is optional.
    run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=target)


PYTHON = ("requirements.txt",)
NODE = ("package.json", "package-lock.json")
ALL = (
    Environment("py_legacy", PYTHON, install_python),
    Environment("py_new", PYTHON, install_python),
    # It generates a client from the OpenAPI document.
    Environment("openapi_client", PYTHON, install_python),
    Environment("js", NODE, install_node),
    Environment("ai", NODE, install_node),
    # The npm package's own tools and test runners.
    Environment("node-client", NODE, install_node, HERE.parents[1] / "clients" / "node"),
)


def bring_up_to_date(environment: Environment) -> bool:
    """Install one environment unless it is ready; say whether it may be used."""
    if environment.is_ready():
        say(f"{environment.name}: already installed")
        return True
    # What an interrupted run left behind is never repaired, only replaced.
    if environment.target.exists():
        shutil.rmtree(environment.target)
    say(f"{environment.name}: installing")
    try:
        environment.install(environment.source, environment.target)
    except (OSError, subprocess.SubprocessError) as error:
        say(f"{environment.name}: NOT installed: {error}")
        return False
    (environment.target / STAMP).write_text(environment.fingerprint())
    return True


def say(line: str) -> None:
    """Print at once, so that our lines stay in order with the installers' own."""
    print(line, flush=True)


def main() -> int:
    """Install what this machine can run; 1 when something it should run failed."""
    done = True
    for environment in ALL:
        if environment.install is install_node and not (shutil.which("node") and shutil.which("npm")):
            say(f"{environment.name}: skipped, needs Node and npm")
            continue
        done = bring_up_to_date(environment) and done
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
