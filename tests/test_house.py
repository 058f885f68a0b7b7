"""The rules of the house that can be counted."""

import ast
from collections.abc import Iterator
from pathlib import Path

SERVER = Path(__file__).parents[1] / "server" / "runware_mock"
MODULES = {file: ast.parse(file.read_text()) for file in sorted(SERVER.rglob("*.py"))}
LONGEST_FILE_LINES = 350
# The one file that may stand on what a library does not document, so that faults can cut connections.
TRANSPORT = SERVER / "api" / "transport.py"
TRANSPORT_LINES = 40
LIBRARIES = {"concurrent", "fastapi", "httptools", "sqlalchemy", "starlette", "uvicorn", "websockets"}
# What the standard library documents: a named tuple's methods, the stacks of all threads, a type only its stubs name.
DOCUMENTED = {"_Decompress", "_asdict", "_current_frames", "_exit", "_replace"}


def imported(module: ast.AST) -> Iterator[str]:
    """Yield the full name of everything that a module imports."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def private_uses(module: ast.AST) -> Iterator[str]:
    """Yield the private attributes that a module uses of anything but its own classes."""
    own = {ast.unparse(node.target) for node in ast.walk(module) if isinstance(node, ast.AnnAssign)}
    own |= {node.name for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    own |= {node.attr for node in ast.walk(module) if isinstance(node, ast.Attribute) and _is_of_self(node)}
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and _is_private(node.attr) and node.attr not in own | DOCUMENTED:
            yield f"line {node.lineno}: {ast.unparse(node)}"


def _is_of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_no_private_attribute_of_a_library_is_used() -> None:
    found = {str(file): uses for file, module in MODULES.items() if (uses := list(private_uses(module)))}
    assert not found


def test_no_private_part_of_a_library_is_imported() -> None:
    found = [
        (str(file), name)
        for file, module in MODULES.items()
        for name in imported(module)
        if (parts := name.split("."))[0] in LIBRARIES and any(map(_is_private, parts))
    ]
    assert not found


def test_only_one_short_file_stands_on_the_servers_protocol_classes() -> None:
    users = [
        file
        for file, module in MODULES.items()
        if any(name.startswith("uvicorn.protocols") for name in imported(module))
    ]
    assert users == [TRANSPORT]
    assert len(TRANSPORT.read_text().splitlines()) <= TRANSPORT_LINES


def test_sqlite_is_asked_through_sqlalchemy_alone() -> None:
    calls = [
        str(file)
        for file, module in MODULES.items()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "sqlite3.connect"
    ]
    assert not calls


def test_no_file_is_too_long_to_read() -> None:
    lines = {str(file): len(file.read_text().splitlines()) for file in MODULES}
    assert {file: number for file, number in lines.items() if number > LONGEST_FILE_LINES} == {}
