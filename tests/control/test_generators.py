"""Client generators take the OpenAPI document whole: every operation is generated, and every answer has a type."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import plain
from tests.running import RunningMock
from tests.sdks.install import ENVIRONMENTS

PYTHON_CLIENT = ENVIRONMENTS / "openapi_client" / "bin" / "openapi-python-client"
TYPESCRIPT = ENVIRONMENTS / "node-client" / "node_modules" / ".bin" / "openapi-typescript"


@pytest.fixture
def document(mock: RunningMock, tmp_path: Path) -> Path:
    """Save the document of a running server."""
    path = tmp_path / "openapi.json"
    path.write_text(plain.get(f"{mock.url}/openapi.json").text)
    return path


def operations(document: Path) -> dict[str, Any]:
    """Return the operations of the document by their id."""
    paths = json.loads(document.read_text())["paths"]
    return {one["operationId"]: one for path in paths.values() for one in path.values()}


@pytest.mark.skipif(not PYTHON_CLIENT.exists(), reason="openapi-python-client is not installed: run `make sdks`")
def test_openapi_python_client_generates_every_operation(document: Path, tmp_path: Path) -> None:
    out = tmp_path / "client"
    command = [str(PYTHON_CLIENT), "generate", "--path", str(document), "--output-path", str(out), "--meta", "none"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "parsing" not in done.stdout + done.stderr, "it warns of what it cannot parse"
    generated = {path.stem: path.read_text() for path in (out / "api").glob("*/*.py")}
    assert operations(document).keys() <= generated.keys()
    untyped = [name for name in operations(document) if "-> Any | " in generated[name]]
    assert untyped == []
    assert re.search(r"def sync\(.*body: list\[.*ImageUpload.*\) -> Answer", generated["run_tasks"], re.DOTALL)


@pytest.mark.skipif(not TYPESCRIPT.exists(), reason="openapi-typescript is not installed: run `make sdks`")
def test_openapi_typescript_generates_every_operation(document: Path, tmp_path: Path) -> None:
    out = tmp_path / "api.d.ts"
    subprocess.run([str(TYPESCRIPT), str(document), "--output", str(out)], check=True, capture_output=True)
    types = out.read_text()
    for name in operations(document):
        assert re.search(rf"^    {name}: \{{", types, re.MULTILINE), name
    assert '"application/json": components["schemas"]["Task"][];' in types
    assert '"application/json": components["schemas"]["Answer"];' in types
    assert "unknown;\n            };\n        };" not in types, "every answer has a type"
