"""Whose rows are meant where one clock rules: those of one account, or of all that have no clock of their own."""

from sqlalchemy import Column, ColumnElement, func, literal, select

from runware_mock.storage.tables import account_clock

ALL_ACCOUNTS = 0


def ruled_by(column: "Column[int]", account_id: int) -> ColumnElement[bool]:
    """Return the condition that a row belongs to an account, or for account 0 to one without a clock of its own."""
    if account_id != ALL_ACCOUNTS:
        return column == account_id
    return column.not_in(select(account_clock.c.account_id))


def clock_at(column: "Column[int]", real_at: int) -> ColumnElement[int]:
    """Return what the clock of a row's account shows: its own, or that of all accounts, or the real one."""
    shown: list[ColumnElement[int]] = []
    for owner in (column, literal(ALL_ACCOUNTS)):
        frozen_at, offset_ms = (
            select(kept).where(account_clock.c.account_id == owner).scalar_subquery()
            for kept in (account_clock.c.frozen_at, account_clock.c.offset_ms)
        )
        shown += [frozen_at, offset_ms + real_at]
    return func.coalesce(*shown, real_at)
