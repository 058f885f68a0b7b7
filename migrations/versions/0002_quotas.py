"""Buckets of the accounts' quotas."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "quota_bucket",
        sa.Column("account_id", _Id, sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("tokens", sa.Float, nullable=False),
        sa.Column("counted_at", sa.BigInteger, nullable=False),
    )
