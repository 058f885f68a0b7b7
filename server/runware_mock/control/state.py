"""Forget, for one account or for all: everything, or one part of it."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, select

from runware_mock.control.changing import changing
from runware_mock.control.refusals import ControlRefused
from runware_mock.services import Services
from runware_mock.storage import contents
from runware_mock.storage.connection import Connection
from runware_mock.storage.database import retried
from runware_mock.storage.owners import ALL_ACCOUNTS
from runware_mock.storage.prepared import Prepared
from runware_mock.storage.tables import account, journal, medium
from runware_mock.version import __version__


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


# Of all accounts, and of one.
_Both = tuple[Prepared, Prepared]
_CONTENTS = Prepared("resets.ALL_CONTENTS"), Prepared("resets.OWN_CONTENTS")
_MEDIA = Prepared("resets.ALL_MEDIA"), Prepared("resets.OWN_MEDIA")
_JOURNAL = Prepared("resets.ALL_JOURNAL"), Prepared("resets.OWN_JOURNAL")
_UNDELIVERED = Prepared("resets.ALL_UNDELIVERED"), Prepared("resets.OWN_UNDELIVERED")
_DELIVERIES = Prepared("resets.ALL_DELIVERIES"), Prepared("resets.OWN_DELIVERIES")
_QUOTAS = Prepared("resets.ALL_QUOTAS"), Prepared("resets.OWN_QUOTAS")
_PLANS = Prepared("resets.ALL_PLANS"), Prepared("resets.OWN_PLANS")


def _meant(both: _Both, account_id: int) -> Prepared:
    of_all, of_one = both
    return of_all if account_id == ALL_ACCOUNTS else of_one


def _delete(connection: Connection, rows: _Both, account_id: int) -> int:
    return _meant(rows, account_id)(connection, {"account_id": account_id}).rowcount


def _media(_services: Services, connection: Connection, account_id: int) -> int:
    found = _meant(_CONTENTS, account_id).all(connection, {"account_id": account_id})
    count = _delete(connection, _MEDIA, account_id)
    contents.delete_unused(connection, [content_id for (content_id,) in found])
    return count


def _journal(_services: Services, connection: Connection, account_id: int) -> int:
    for rows in (_UNDELIVERED, _DELIVERIES, _QUOTAS):
        _delete(connection, rows, account_id)
    return _delete(connection, _JOURNAL, account_id)


def _faults(_services: Services, connection: Connection, account_id: int) -> int:
    return _delete(connection, _PLANS, account_id)


def _clock(services: Services, connection: Connection, account_id: int) -> int:
    services.live.reset(connection, account_id)
    # It was filled by the clock that is no more.
    _delete(connection, _QUOTAS, account_id)
    return 1


_PARTS: Mapping[str, Callable[[Services, Connection, int], int]] = {
    "media": _media,
    "journal": _journal,
    "faults": _faults,
    "clock": _clock,
}
_SCOPES = {"all": tuple(_PARTS), **{name: (name,) for name in _PARTS}}
