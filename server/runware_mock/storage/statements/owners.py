"""Whose rows are meant where one clock rules: those of one account, or of all that have no clock of their own."""

from sqlalchemy import Column, ColumnElement, bindparam, func, literal, select
from sqlalchemy.types import BigInteger

from runware_mock.storage.owners import ALL_ACCOUNTS
from runware_mock.storage.tables import account_clock


def ruled_by_all(column: "Column[int]") -> ColumnElement[bool]:
    """Return the condition that a row belongs to an account without a clock of its own."""
    return column.not_in(select(account_clock.c.account_id))


def clock_at(column: "Column[int]", real_at: ColumnElement[int]) -> ColumnElement[int]:
    """Return what the clock of a row's account shows: its own, or that of all accounts, or the real one."""
    shown: list[ColumnElement[int]] = []
    for owner in (column, literal(ALL_ACCOUNTS)):
        frozen_at, offset_ms = (
            select(kept).where(account_clock.c.account_id == owner).scalar_subquery()
            for kept in (account_clock.c.frozen_at, account_clock.c.offset_ms)
        )
        shown += [frozen_at, offset_ms + real_at]
    return func.coalesce(*shown, real_at)


REAL_AT: ColumnElement[int] = bindparam("real_at", type_=BigInteger)
