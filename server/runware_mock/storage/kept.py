"""Values that a database is given once and keeps, whichever process comes first."""

from collections.abc import Callable

from runware_mock.storage.database import Database
from runware_mock.storage.prepared import Prepared

_ADD = Prepared("secrets.ADD")
_FIND = Prepared("secrets.FIND")


def kept(database: Database, name: str, make: Callable[[], bytes]) -> bytes:
    """Return the value of this name; where there is none, what `make` returns is kept as it."""
    with database.reading() as connection:
        if value := _FIND(connection, {"name": name}).scalar():
            return bytes(value)
    with database.writing() as connection:
        # Another process may have been quicker.
        _ADD(connection, {"name": name, "value": make()})
        return bytes(_FIND(connection, {"name": name}).scalar())
