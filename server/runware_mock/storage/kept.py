"""Values that a database is given once and keeps, whichever process comes first."""

from collections.abc import Callable

from sqlalchemy import select

from runware_mock.storage.database import Database
from runware_mock.storage.inserts import insert_unless_there
from runware_mock.storage.prepared import Prepared
from runware_mock.storage.tables import secret

_ADD = Prepared(insert_unless_there(secret, "name"), ("name", "value"))


def kept(database: Database, name: str, make: Callable[[], bytes]) -> bytes:
    """Return the value of this name; where there is none, what `make` returns is kept as it."""
    stored = select(secret.c.value).where(secret.c.name == name)
    with database.reading() as connection:
        if value := connection.scalar(stored):
            return bytes(value)
    with database.writing() as connection:
        # Another process may have been quicker.
        _ADD(connection, {"name": name, "value": make()})
        return bytes(connection.execute(stored).scalar_one())
