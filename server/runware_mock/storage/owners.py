"""Whose rows are meant where one clock rules: those of one account, or of all that have no clock of their own."""

from sqlalchemy import Column, ColumnElement, select

from runware_mock.storage.tables import account_clock

ALL_ACCOUNTS = 0


def ruled_by(column: "Column[int]", account_id: int) -> ColumnElement[bool]:
    """Return the condition that a row belongs to an account, or for account 0 to one without a clock of its own."""
    if account_id != ALL_ACCOUNTS:
        return column == account_id
    return column.not_in(select(account_clock.c.account_id))
