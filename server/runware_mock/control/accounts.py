"""The accounts there are."""

from sqlalchemy import Connection, Table, func, select

from runware_mock.control import models
from runware_mock.control.refusals import not_found
from runware_mock.control.times import write_at
from runware_mock.services import Services
from runware_mock.storage.models import account, fault_plan, journal, medium


def list_accounts(services: Services) -> list[models.Account]:
    """Return every account, the newest first: masked label, its clock, and how much it has of each."""
    with services.database.reading() as connection:
        services.clocks.refresh(connection)
        counts = {table.name: _counts(connection, table) for table in (medium, journal, fault_plan)}
        rows = connection.execute(select(account).order_by(account.c.id.desc())).all()
    return [
        models.Account(
            id=row.id,
            label=row.label,
            created_at=write_at(row.created_at),
            now_at=write_at(services.now_at(row.id)),
            media=counts["medium"].get(row.id, 0),
            journal=counts["journal"].get(row.id, 0),
            plans=counts["fault_plan"].get(row.id, 0),
        )
        for row in rows
    ]


def labels(services: Services) -> dict[int, str]:
    """Return the masked label of every account, the newest first."""
    with services.database.reading() as connection:
        rows = connection.execute(select(account.c.id, account.c.label).order_by(account.c.id.desc())).all()
    return {row.id: row.label for row in rows}


def find_account(services: Services, account_id: int) -> int:
    """Return the id again if there is such an account."""
    with services.database.reading() as connection:
        if connection.execute(select(account.c.id).where(account.c.id == account_id)).first() is None:
            raise not_found(f"there is no account {account_id}", "account")
    return account_id


def _counts(connection: Connection, table: Table) -> dict[int, int]:
    rows = connection.execute(select(table.c.account_id, func.count()).group_by(table.c.account_id)).all()
    return {row[0]: row[1] for row in rows}
