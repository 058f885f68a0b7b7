"""Values that a database is given once and keeps, whichever process comes first."""

from collections.abc import Callable

from sqlalchemy import bindparam, insert, select

from runware_mock.storage.database import ALL_ACCOUNTS, Database
from runware_mock.storage.models import secret

_FIND = select(secret.c.value).where(secret.c.name == bindparam("secret_name"))


def secret_of(database: Database, name: str, make: Callable[[], bytes]) -> bytes:
    """Return the value of this name; if there is none yet, store what `make` returns."""
    with database.reading() as connection:
        value = connection.scalar(_FIND, {"secret_name": name})
    if value is None:
        with database.writing(ALL_ACCOUNTS) as connection:
            # Another process may have been quicker.
            value = connection.scalar(_FIND, {"secret_name": name})
            if value is None:
                value = make()
                connection.execute(insert(secret), {"name": name, "value": value})
    return value
