"""UUIDs for what is stored: random ones, or with a seed the same ones in every run."""

import hashlib
import os
import uuid as uuids
from typing import Protocol

from runware_mock.clock import Clock
from runware_mock.storage.connection import Connection
from runware_mock.storage.prepared import Prepared

_ISSUE = Prepared("accounts.ISSUE")


class Ids(Protocol):
    """Whatever makes up UUIDs."""

    def new(self, connection: Connection, account_id: int) -> str:
        """Return a UUID v4 that no medium has."""
        ...


class RandomIds:
    """UUIDs nobody can foresee, whose middle tells when they were made: see `storage/uuids.py`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self, _connection: Connection, _account_id: int) -> str:
        """Return a UUID v4 that no medium has."""
        return random_uuid(self._clock.now_at())


def random_uuid(made_at: int) -> str:
    """Return a UUID v4 of 80 random bits: first and last, by which people and programs tell UUIDs apart at a glance."""
    time, random = made_at % (1 << 42), os.urandom(10).hex()
    # The time in pieces of 16, 12 and 14 bits: before the second stands the version, before the third the variant.
    middle = f"{time >> 26:04x}-4{time >> 14 & 0xFFF:03x}-{0x8000 | time & 0x3FFF:04x}"
    return f"{random[:8]}-{middle}-{random[8:]}"


class SeededIds:
    """The n-th UUID of an account is the same in every run with this seed, whatever other accounts do."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def new(self, connection: Connection, account_id: int) -> str:
        """Return a UUID of the form of version 4 that no medium has."""
        ((issued, key_hash),) = _ISSUE.all(connection, {"account_id": account_id})
        digest = hashlib.sha256(f"{self._seed} {key_hash} {issued}".encode()).digest()
        return str(uuids.UUID(bytes=digest[:16], version=4))
