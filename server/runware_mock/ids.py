"""UUIDs for what is stored: random ones, or with a seed the same ones in every run."""

import hashlib
import uuid as uuids
from typing import Protocol

from sqlalchemy import Connection, update

from runware_mock.storage.tables import account


class Ids(Protocol):
    """Whatever makes up UUIDs."""

    def new(self, connection: Connection, account_id: int) -> str:
        """Return a UUID v4 that no medium has."""
        ...


class RandomIds:
    """UUIDs nobody can foresee."""

    def new(self, _connection: Connection, _account_id: int) -> str:
        """Return a UUID v4 that no medium has."""
        return str(uuids.uuid4())


class SeededIds:
    """The n-th UUID of an account is the same in every run with this seed, whatever other accounts do."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def new(self, connection: Connection, account_id: int) -> str:
        """Return a UUID of the form of version 4 that no medium has."""
        count = update(account).where(account.c.id == account_id).values(issued=account.c.issued + 1)
        row = connection.execute(count.returning(account.c.issued, account.c.key_hash)).one()
        digest = hashlib.sha256(f"{self._seed} {row.key_hash} {row.issued}".encode()).digest()
        return str(uuids.UUID(bytes=digest[:16], version=4))
