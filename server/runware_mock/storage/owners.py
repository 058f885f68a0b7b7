"""Whose rows are meant where one clock rules: those of one account, or of all that have no clock of their own."""

from sqlalchemy import Column, ColumnElement, func, select

from runware_mock.storage.tables import account_clock

ALL_ACCOUNTS = 0


def ruled_by(column: "Column[int]", account_id: int) -> ColumnElement[bool]:
    """Return the condition that a row belongs to an account, or for account 0 to one without a clock of its own."""
    if account_id != ALL_ACCOUNTS:
        return column == account_id
    return column.not_in(select(account_clock.c.account_id))


def clock_at(column: "Column[int]", real_at: int, now_at: int) -> ColumnElement[int]:
    """Return what the clock of a row's account shows; `now_at` is what that of all the others shows."""
    frozen_at, offset_ms = (
        select(shown).where(account_clock.c.account_id == column).scalar_subquery()
        for shown in (account_clock.c.frozen_at, account_clock.c.offset_ms)
    )
    return func.coalesce(frozen_at, offset_ms + real_at, now_at)
