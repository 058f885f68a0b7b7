"""The accounts, how much they have, and resets: of everything or one part, for one account or for all."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Delete, Select, Table, delete, exists, func, or_, select

from runware_mock import control_models as models
from runware_mock.control.calls import changing, not_found
from runware_mock.control_models import instant
from runware_mock.services import Services
from runware_mock.storage import contents
from runware_mock.storage.database import ALL_ACCOUNTS, retried
from runware_mock.storage.models import (
    account,
    account_clock,
    delivery,
    fault_plan,
    journal,
    medium,
    quota_bucket,
    snapshot,
    undelivered,
)
from runware_mock.version import __version__

# An account without any of these is listed nowhere, so that after a reset the list is short. Its row stays for sockets
# that are open.
_OWNED = (medium, journal, fault_plan, account_clock, snapshot)
_HAS_SOMETHING = or_(*(exists().where(table.c.account_id == account.c.id) for table in _OWNED))
Scope = Literal["all", "media", "journal", "faults", "clock"]
_Where = TypeVar("_Where", Delete, Select[Any])
# What each part of an account consists of. The rows of its last table are counted.
_TABLES: Mapping[str, tuple[Table, ...]] = {
    "media": (medium,),
    "journal": (undelivered, delivery, quota_bucket, journal),
    "faults": (fault_plan,),
    # The quota was filled by the clock that is reset.
    "clock": (quota_bucket,),
}


def status(services: Services, base_url: str) -> models.Status:
    """Return the version, the settings that differ from their default, and how much is stored."""
    with services.database.reading() as connection:
        counts = {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in (("media", medium), ("journal", journal))
        }
        counts["accounts"] = connection.scalar(select(func.count()).select_from(account).where(_HAS_SOMETHING)) or 0
    return models.Status(version=__version__, url=base_url, settings=services.settings.changed(), **counts)


def list_accounts(services: Services) -> models.Accounts:
    """Return every account that has something, the newest first: masked label, its clock, and how much of each."""
    with services.database.reading() as connection:
        services.clocks.refresh(connection)
        counts = {table.name: _counts(connection, table) for table in (medium, journal, fault_plan)}
        rows = connection.execute(select(account).where(_HAS_SOMETHING).order_by(account.c.id.desc())).all()
    accounts = [
        models.Account(
            id=row.id,
            label=row.label,
            created_at=instant(row.created_at),
            now_at=instant(services.now_at(row.id)),
            media=counts["medium"].get(row.id, 0),
            journal=counts["journal"].get(row.id, 0),
            plans=counts["fault_plan"].get(row.id, 0),
        )
        for row in rows
    ]
    return models.Accounts(accounts=tuple(accounts))


def labels(services: Services) -> dict[int, str]:
    """Return the masked label of every account that has something, the newest first."""
    with services.database.reading() as connection:
        labelled = select(account.c.id, account.c.label).where(_HAS_SOMETHING).order_by(account.c.id.desc())
        return {row.id: row.label for row in connection.execute(labelled)}


def find_account(services: Services, account_id: int) -> int:
    """Return the id again if there is such an account."""
    with services.database.reading() as connection:
        if connection.execute(select(account.c.id).where(account.c.id == account_id)).first() is None:
            raise not_found(f"there is no account {account_id}", "account")
    return account_id


@retried
def reset(services: Services, account_id: int, scope: Scope) -> models.Reset:
    """Delete what `scope` names, in one transaction; return how much that was."""
    parts = _TABLES if scope == "all" else {scope: _TABLES[scope]}
    counts: dict[str, int] = {}
    with changing(services, account_id) as connection:
        content_ids = _own(select(medium.c.content_id).distinct(), medium, account_id)
        unneeded = connection.scalars(content_ids).all() if "media" in parts else ()
        for name, tables in parts.items():
            for table in tables:
                counts[name] = connection.execute(_own(delete(table), table, account_id)).rowcount
        contents.delete_unused(connection, unneeded)
        if "clock" in parts:
            services.clocks.reset(connection, account_id)
            counts["clock"] = 1
    return models.Reset(scope=scope, **counts)


def _counts(connection: Connection, table: Table) -> dict[int, int]:
    rows = connection.execute(select(table.c.account_id, func.count()).group_by(table.c.account_id)).all()
    return {row[0]: row[1] for row in rows}


def _own(statement: _Where, table: Table, account_id: int) -> _Where:
    return statement if account_id == ALL_ACCOUNTS else statement.where(table.c.account_id == account_id)
