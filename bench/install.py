"""Install the product as users do, and its peers, into `.bench/`.

An editable install, as `make` makes one for developing, would add the time its finder takes to every start.
"""

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parent.parent
HERE = PROJECT_DIR / ".bench"
PYTHON = str(HERE / "python/bin/python")
NODE_DIR = HERE / "node"
PIP = (PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
# What the peer with pyvips takes beside FastAPI, to be as fast as it can be.
OF_PEERS = ("msgspec", "pybase64")


def main() -> None:
    """Install what has changed since an earlier run."""
    HERE.mkdir(exist_ok=True)
    pins = [(PROJECT_DIR / name).read_text() for name in ("pyproject.toml", "requirements.lock")]
    _once("packages", repr((sys.base_prefix, sys.version, pins)), _install_packages)
    _once("node", (PROJECT_DIR / "bench/node/package-lock.json").read_text(), _install_node)
    _once("product", _fingerprint(), _install_product)


def _once(what: str, state: str, install: Callable[[], None]) -> None:
    stamp = HERE / f".{what}"
    if not stamp.exists() or stamp.read_text() != state:
        install()
        stamp.write_text(state)


def _install_packages() -> None:
    venv.create(HERE / "python", clear=True, with_pip=True)
    _run(*PIP, "--constraint", "requirements.lock", ".[uvloop,vips]", *OF_PEERS)


def _install_node() -> None:
    shutil.rmtree(NODE_DIR, ignore_errors=True)
    try:
        shutil.copytree(PROJECT_DIR / "bench/node", NODE_DIR)
        # The install script of better-sqlite3 fetches or builds its binary.
        _run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=NODE_DIR)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(NODE_DIR)
        print(f"Node + sharp is left out: {error}")


def _install_product() -> None:
    # pip would install what an earlier build has left there, too.
    shutil.rmtree(PROJECT_DIR / "build", ignore_errors=True)
    _run(*PIP, "--no-deps", "--force-reinstall", ".")


def _run(*command: str, cwd: Path = PROJECT_DIR) -> None:
    subprocess.run(command, cwd=cwd, check=True)


def _fingerprint() -> str:
    """Return a text that changes when the product does."""
    digest = hashlib.sha256()
    for folder in ("server", "migrations"):
        for path in sorted((PROJECT_DIR / folder).rglob("*")):
            if path.is_file() and path.suffix != ".pyc" and ".egg-info" not in str(path):
                digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()
