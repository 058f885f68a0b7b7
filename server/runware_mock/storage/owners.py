"""Whose rows are meant."""

# What stands in the place of an account's id where all are meant, or all that have no clock of their own.
ALL_ACCOUNTS = 0
