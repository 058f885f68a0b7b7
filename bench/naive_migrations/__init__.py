"""Alembic environment of the naive baseline."""
