"""Forget, for one account or for all: everything, or one part of it."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column, Table, delete, func, select

from runware_mock import __version__
from runware_mock.control.changing import changing
from runware_mock.control.refusals import ControlRefused
from runware_mock.services import Services
from runware_mock.storage import contents
from runware_mock.storage.connection import Connection
from runware_mock.storage.database import retried
from runware_mock.storage.owners import ALL_ACCOUNTS
from runware_mock.storage.tables import account, delivery, fault_plan, journal, medium, quota_bucket, undelivered


@retried
def reset(services: Services, account_id: int, scope: str) -> dict[str, Any]:
    """Forget what `scope` names, in one transaction; return how much that was."""
    if scope not in _SCOPES:
        raise ControlRefused(f"{scope!r} is none of {', '.join(_SCOPES)}", "scope")
    with changing(services, account_id) as connection:
        counts = {name: _PARTS[name](services, connection, account_id) for name in _SCOPES[scope]}
    return {"scope": scope, **counts}


def status(services: Services) -> dict[str, Any]:
    """Return the version, the settings that differ from their default, and how much is stored."""
    with services.database.reading() as connection:
        counts = {
            name: connection.core.scalar(select(func.count()).select_from(table))
            for name, table in (("accounts", account), ("media", medium), ("journal", journal))
        }
    return {"version": __version__, "settings": services.settings.changed(), **counts}


def _of(column: "Column[int]", account_id: int) -> Any:
    return column == account_id if account_id != ALL_ACCOUNTS else column.is_not(None)


def _rows(connection: Connection, table: Table, account_id: int) -> int:
    return connection.core.execute(delete(table).where(_of(table.c.account_id, account_id))).rowcount


def _media(_services: Services, connection: Connection, account_id: int) -> int:
    own = _of(medium.c.account_id, account_id)
    content_ids = list(connection.core.scalars(select(medium.c.content_id).where(own).distinct()))
    count = connection.core.execute(delete(medium).where(own)).rowcount
    contents.delete_unused(connection, content_ids)
    return count


def _journal(_services: Services, connection: Connection, account_id: int) -> int:
    for table in (undelivered, delivery, quota_bucket):
        _rows(connection, table, account_id)
    return _rows(connection, journal, account_id)


def _faults(_services: Services, connection: Connection, account_id: int) -> int:
    return _rows(connection, fault_plan, account_id)


def _clock(services: Services, connection: Connection, account_id: int) -> int:
    services.live.reset(connection, account_id)
    # It was filled by the clock that is no more.
    _rows(connection, quota_bucket, account_id)
    return 1


_PARTS: Mapping[str, Callable[[Services, Connection, int], int]] = {
    "media": _media,
    "journal": _journal,
    "faults": _faults,
    "clock": _clock,
}
_SCOPES = {"all": tuple(_PARTS), **{name: (name,) for name in _PARTS}}
