"""Forget, for one account or for all: everything, or one part of it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, Delete, Select, Table, delete, func, select

from runware_mock.control import models
from runware_mock.control.changes import changing
from runware_mock.control.refusals import ControlRefused
from runware_mock.services import Services
from runware_mock.storage import contents
from runware_mock.storage.database import ALL_ACCOUNTS, retried
from runware_mock.storage.models import (
    account,
    delivery,
    fault_plan,
    journal,
    medium,
    quota_bucket,
    undelivered,
)
from runware_mock.version import __version__

_Where = TypeVar("_Where", Delete, Select[Any])


@retried
def reset(services: Services, account_id: int, scope: str) -> models.Reset:
    """Forget what `scope` names, in one transaction; return how much that was."""
    if scope not in _SCOPES:
        raise ControlRefused(f"{scope!r} is none of {', '.join(_SCOPES)}", "scope")
    with changing(services, account_id) as connection:
        counts = {name: _PARTS[name](services, connection, account_id) for name in _SCOPES[scope]}
    return models.Reset(scope=scope, **counts)


def status(services: Services, base_url: str) -> models.Status:
    """Return the version, the settings that differ from their default, and how much is stored."""
    with services.database.reading() as connection:
        counts = {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in (("accounts", account), ("media", medium), ("journal", journal))
        }
    return models.Status(version=__version__, url=base_url, settings=services.settings.changed(), **counts)


def _delete(connection: Connection, table: Table, account_id: int) -> int:
    return connection.execute(_own(delete(table), table, account_id)).rowcount


def _own(statement: _Where, table: Table, account_id: int) -> _Where:
    return statement if account_id == ALL_ACCOUNTS else statement.where(table.c.account_id == account_id)


def _media(_services: Services, connection: Connection, account_id: int) -> int:
    found = connection.scalars(_own(select(medium.c.content_id).distinct(), medium, account_id)).all()
    count = _delete(connection, medium, account_id)
    contents.delete_unused(connection, found)
    return count


def _journal(_services: Services, connection: Connection, account_id: int) -> int:
    for table in (undelivered, delivery, quota_bucket):
        _delete(connection, table, account_id)
    return _delete(connection, journal, account_id)


def _faults(_services: Services, connection: Connection, account_id: int) -> int:
    return _delete(connection, fault_plan, account_id)


def _clock(services: Services, connection: Connection, account_id: int) -> int:
    services.clocks.reset(connection, account_id)
    # It was filled by the clock that is no more.
    _delete(connection, quota_bucket, account_id)
    return 1


_PARTS: Mapping[str, Callable[[Services, Connection, int], int]] = {
    "media": _media,
    "journal": _journal,
    "faults": _faults,
    "clock": _clock,
}
_SCOPES = {"all": tuple(_PARTS), **{name: (name,) for name in _PARTS}}
