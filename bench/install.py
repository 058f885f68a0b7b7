"""Install the product as users do, and what its peers need, into `.bench/`: `python -m bench.install`.

An editable install, as `make` makes one for developing, takes some 50 ms of every start to find its modules.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parent.parent
HERE = PROJECT_DIR / ".bench"
PYTHON = str(HERE / "python/bin/python")
NODE_DIR = HERE / "node"
STAMP = HERE / ".installed"
PRODUCT_STAMP = HERE / ".product"
PIP = (PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
PINS = (PROJECT_DIR / "pyproject.toml", PROJECT_DIR / "requirements.lock", PROJECT_DIR / "bench/node/package-lock.json")


def run(*command: str, cwd: Path = PROJECT_DIR) -> None:
    """Run an installer."""
    subprocess.run(command, cwd=cwd, check=True)


def fingerprint() -> str:
    """Change when the pins change, or Python does."""
    return repr((sys.base_prefix, sys.version, [path.read_text() for path in PINS]))


def sources() -> str:
    """Change when the product does."""
    digest = hashlib.sha256()
    for folder in ("server", "migrations"):
        for path in sorted((PROJECT_DIR / folder).rglob("*")):
            if path.is_file() and path.suffix != ".pyc" and ".egg-info" not in str(path):
                digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()


def main() -> None:
    """Install what has changed since an earlier run."""
    install_packages()
    if not PRODUCT_STAMP.exists() or PRODUCT_STAMP.read_text() != sources():
        # What an earlier build has left there would be installed, too.
        shutil.rmtree(PROJECT_DIR / "build", ignore_errors=True)
        run(*PIP, "--no-deps", "--force-reinstall", ".")
        PRODUCT_STAMP.write_text(sources())


def install_packages() -> None:
    """Install the peers and all that the product needs, unless an earlier run has with these very pins."""
    if STAMP.exists() and STAMP.read_text() == fingerprint():
        return
    shutil.rmtree(HERE, ignore_errors=True)
    venv.create(HERE / "python", with_pip=True)
    run(*PIP, "--constraint", "requirements.lock", ".[bench,vips]")
    try:
        shutil.copytree(PROJECT_DIR / "bench/node", NODE_DIR)
        # better-sqlite3 is built, or fetched built, by its install script.
        run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=NODE_DIR)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(NODE_DIR)
        print(f"the Node peer is left out: {error}")
    STAMP.write_text(fingerprint())


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main()
