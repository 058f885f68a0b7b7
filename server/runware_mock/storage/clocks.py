"""Which clock rules a row: that of its account, or that of all accounts."""

from sqlalchemy import Column, ColumnElement, func, literal, select

from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.tables import account_clock


def has_no_clock(account_id: "Column[int]") -> ColumnElement[bool]:
    """Return the condition that a row's account has no clock of its own."""
    return account_id.not_in(select(account_clock.c.account_id))


def clock_at(account_id: "Column[int]", real_at: ColumnElement[int]) -> ColumnElement[int]:
    """Return what the clock of a row's account shows: its own, or that of all accounts, or the real one."""
    shown: list[ColumnElement[int]] = []
    for owner in (account_id, literal(ALL_ACCOUNTS)):
        frozen_at, offset_ms = (
            select(stored).where(account_clock.c.account_id == owner).scalar_subquery()
            for stored in (account_clock.c.frozen_at, account_clock.c.offset_ms)
        )
        shown += [frozen_at, offset_ms + real_at]
    return func.coalesce(*shown, real_at)
