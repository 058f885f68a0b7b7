"""What SQLAlchemy makes of all the statements for SQLite."""

from importlib import import_module
from pkgutil import iter_modules

import msgspec
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from runware_mock.storage import statements
from runware_mock.storage.prepared import STATEMENTS, Compiled, CompiledStatement
from runware_mock.storage.statements.version import tables_for_sqlite
from runware_mock.storage.statements.written import Statement


def compiled_for_sqlite() -> bytes:
    """Return the contents of `storage/sqlite.json`."""
    names = [name for _, name, _ in iter_modules(statements.__path__) if name != "__main__"]
    compiled = {
        f"{module}.{name}": CompiledStatement(*statement.compiled(sqlite_dialect()))
        for module in names
        for name, statement in vars(import_module(f"{STATEMENTS}.{module}")).items()
        if isinstance(statement, Statement)
    }
    return msgspec.json.format(msgspec.json.encode(Compiled(tables_for_sqlite(), compiled)), indent=1) + b"\n"
