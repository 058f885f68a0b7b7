"""Install what the peers need into `.bench/`, apart from what the product needs: `python -m bench.install`.

The mock and naive run in the product's own environment; the same lock file makes the versions here the same.
"""

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
PINS = (PROJECT_DIR / "pyproject.toml", PROJECT_DIR / "requirements.lock", PROJECT_DIR / "bench/node/package-lock.json")


def run(*command: str, cwd: Path = PROJECT_DIR) -> None:
    """Run an installer."""
    subprocess.run(command, cwd=cwd, check=True)


def fingerprint() -> str:
    """Change when the pins change."""
    return repr((sys.version_info[:2], [path.read_text() for path in PINS]))


def main() -> None:
    """Install, unless an earlier run has with these very pins."""
    if STAMP.exists() and STAMP.read_text() == fingerprint():
        return
    shutil.rmtree(HERE, ignore_errors=True)
    venv.create(HERE / "python", with_pip=True)
    pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    run(*pip, "--constraint", "requirements.lock", "--editable", ".[bench,vips]")
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
