"""The accounts that API keys open. Only a keyed hash and a masked label of each key are stored."""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID, uuid4

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, insert, select, update

from runware_mock.protocol.errors import refuse
from runware_mock.protocol.redaction import looks_real, masked
from runware_mock.storage.clocks import Clocks
from runware_mock.storage.database import ALL_ACCOUNTS, Database, secret_of
from runware_mock.storage.models import account

_log = logging.getLogger(__name__)

_PLAN_MARK = "+"
_CACHED_ACCOUNTS = 10_000


class Account(Struct, frozen=True):
    """The owner of one API key; accounts never see one another's tasks."""

    id: int
    label: str
    # The fault plan that the key names, if any.
    plan: str | None = None


class Accounts:
    """Opens the accounts of keys. If there are `accepted` keys, all others are refused."""

    def __init__(
        self,
        database: Database,
        clocks: Clocks,
        has_plan: Callable[[Connection, int, str], bool],
        accepted: Collection[str] = (),
        *,
        seed: int | None = None,
    ) -> None:
        self._database = database
        self._clocks = clocks
        self._has_plan = has_plan
        self._hash_key = _hash_key(database, seed)
        self._accepted = frozenset(map(self._hash, accepted))
        # A cache that never goes stale: the row of an account never changes.
        self._known: dict[bytes, Account] = {}

    def known(self, api_key: object) -> Account | None:
        """Return the account of this key if it was opened before, without reading the database; else None."""
        if not isinstance(api_key, str) or _PLAN_MARK in api_key:
            return None
        return self._known.get(self._mark(api_key))

    def open(self, api_key: object) -> Account:
        """Return the account of this key, creating it if needed; raises missingApiKey or invalidApiKey.

        `key+plan` opens the account of `key` if that has a fault plan of this name; else it is a key like any other.
        """
        if api_key is None or api_key == "":
            raise refuse("missingApiKey", "Send one.")
        if not isinstance(api_key, str):
            raise refuse("invalidApiKey")
        key, has_plan, plan = api_key.rpartition(_PLAN_MARK)
        if has_plan and (account := self._with_plan(key, plan)):
            return account
        key_hash = self._hash(api_key)
        if self._accepted and key_hash not in self._accepted:
            raise refuse("invalidApiKey")
        mark = self._mark(api_key)
        opened = self._known.get(mark) or self._open(key_hash, api_key)
        if len(self._known) < _CACHED_ACCOUNTS:
            self._known[mark] = opened
        return opened

    def _with_plan(self, key: str, plan: str) -> Account | None:
        key_hash = self._hash(key)
        if self._accepted and key_hash not in self._accepted:
            return None
        with self._database.reading() as connection:
            found = _find(connection, key_hash)
            has_plan = found is not None and self._has_plan(connection, found.id, plan)
        return replace(found, plan=plan) if found is not None and has_plan else None

    def _open(self, key_hash: str, api_key: str) -> Account:
        with self._database.reading() as connection:
            if found := _find(connection, key_hash):
                return found
        label = masked(api_key)
        # Locks all accounts: another process may be opening this one.
        with self._database.writing(ALL_ACCOUNTS) as connection:
            if found := _find(connection, key_hash):
                return found
            values = {"key_hash": key_hash, "label": label, "created_at": self._clocks.now_at()}
            added: Any = connection.execute(insert(account), values).inserted_primary_key
            (account_id,) = added
        if looks_real(api_key):
            _log.warning("the API key %s looks like a real one: any key will do here, keep those out", label)
        return Account(account_id, label)

    def _mark(self, api_key: str) -> bytes:
        # Called for each request: hmac.digest would release the interpreter, and wait to get it back.
        return hashlib.blake2b(api_key.encode("utf-8", "surrogatepass"), key=self._hash_key).digest()

    def _hash(self, api_key: str) -> str:
        return hmac.digest(self._hash_key, api_key.encode("utf-8", "surrogatepass"), "sha256").hex()


def _find(connection: Connection, key_hash: str) -> Account | None:
    row = connection.execute(select(account.c.id, account.c.label).where(account.c.key_hash == key_hash)).first()
    return None if row is None else Account(*row)


def new_uuid(connection: Connection, account_id: int, seed: int | None) -> str:
    """Return a random UUID v4, or with a seed the account's next UUID, which is the same in every run."""
    if seed is None:
        return str(uuid4())
    issued = update(account).where(account.c.id == account_id).values(issued=account.c.issued + 1)
    number, key_hash = connection.execute(issued.returning(account.c.issued, account.c.key_hash)).one()
    digest = hashlib.sha256(f"{seed} {key_hash} {number}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


def _hash_key(database: Database, seed: int | None) -> bytes:
    """Return this database's own key, so that none of its hashes can be looked up in another database."""
    seeded = None if seed is None else hashlib.sha256(f"runware-mock {seed}".encode()).digest()
    return secret_of(database, "account_hash", lambda: seeded or secrets.token_bytes(32))
