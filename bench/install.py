"""Install the product as users do, and its peers, into `.bench/`.

An editable install, as `make` makes one for developing, would add the time its finder takes to every start.
"""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parent.parent
HERE = PROJECT_DIR / ".bench"
PYTHON = str(HERE / "python/bin/python")
NODE_DIR = HERE / "node"
PACKAGES_STAMP = HERE / ".packages"
PRODUCT_STAMP = HERE / ".product"
PIP = (PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
PINS = (PROJECT_DIR / "pyproject.toml", PROJECT_DIR / "requirements.lock", PROJECT_DIR / "bench/node/package-lock.json")
# What the peer with pyvips takes beside FastAPI, to be as fast as it can be.
OF_PEERS = ("msgspec", "pybase64")


def main() -> None:
    """Install what has changed since an earlier run."""
    pins = repr((sys.base_prefix, sys.version, [path.read_text() for path in PINS]))
    if not _is_stamped(PACKAGES_STAMP, pins):
        _install_packages()
        PACKAGES_STAMP.write_text(pins)
    product = _fingerprint()
    if not _is_stamped(PRODUCT_STAMP, product):
        # pip would install what an earlier build has left there, too.
        shutil.rmtree(PROJECT_DIR / "build", ignore_errors=True)
        _run(*PIP, "--no-deps", "--force-reinstall", ".")
        PRODUCT_STAMP.write_text(product)


def _install_packages() -> None:
    shutil.rmtree(HERE, ignore_errors=True)
    venv.create(HERE / "python", with_pip=True)
    _run(*PIP, "--constraint", "requirements.lock", ".[vips]", *OF_PEERS)
    try:
        shutil.copytree(PROJECT_DIR / "bench/node", NODE_DIR)
        # The install script of better-sqlite3 fetches or builds its binary.
        _run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=NODE_DIR)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(NODE_DIR)
        print(f"Node + sharp is left out: {error}")


def _run(*command: str, cwd: Path = PROJECT_DIR) -> None:
    subprocess.run(command, cwd=cwd, check=True)


def _is_stamped(stamp: Path, text: str) -> bool:
    return stamp.exists() and stamp.read_text() == text


def _fingerprint() -> str:
    """Return a text that changes when the product does."""
    digest = hashlib.sha256()
    for folder in ("server", "migrations"):
        for path in sorted((PROJECT_DIR / folder).rglob("*")):
            if path.is_file() and path.suffix != ".pyc" and ".egg-info" not in str(path):
                digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()
