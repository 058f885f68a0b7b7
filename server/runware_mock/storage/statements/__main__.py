"""Write what SQLAlchemy makes of the statements for SQLite: `make statements`."""

from runware_mock.storage.prepared import COMPILED_FILE
from runware_mock.storage.statements.compiling import compiled_for_sqlite

COMPILED_FILE.write_bytes(compiled_for_sqlite())
