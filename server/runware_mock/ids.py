"""UUIDs for what is stored: random ones, or with a seed the same ones in every run."""

import hashlib
from typing import Protocol
from uuid import UUID, uuid4

from sqlalchemy import Connection, bindparam, update

from runware_mock.storage.models import account

_ISSUE = (
    update(account)
    .where(account.c.id == bindparam("owner_id"))
    .values(issued=account.c.issued + 1)
    .returning(account.c.issued, account.c.key_hash)
)


class Ids(Protocol):
    """Makes UUIDs."""

    def new(self, connection: Connection, account_id: int) -> str:
        """Return a UUID v4 that no medium has."""
        ...


class RandomIds:
    """Random UUIDs."""

    def new(self, _connection: Connection, _account_id: int) -> str:
        """Return a UUID v4 that no medium has."""
        return str(uuid4())


class SeededIds:
    """The n-th UUID of an account is the same in every run with this seed, whatever other accounts do."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def new(self, connection: Connection, account_id: int) -> str:
        """Return a UUID of the form of version 4 that no medium has."""
        issued, key_hash = connection.execute(_ISSUE, {"owner_id": account_id}).one()
        digest = hashlib.sha256(f"{self._seed} {key_hash} {issued}".encode()).digest()
        return str(UUID(bytes=digest[:16], version=4))
