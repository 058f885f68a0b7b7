"""Find media by UUID in the order of the time that is in its middle."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ORDER = "substr(uuid, 10) || substr(uuid, 1, 9)"


def upgrade() -> None:
    """Put another index in the place of the one by the whole UUID."""
    if op.get_context().dialect.name == "sqlite":
        _without_its_unique_constraint()
        order = sa.text(_ORDER)
    else:
        op.drop_constraint("medium_uuid_key", "medium", type_="unique")
        order = sa.text(f"({_ORDER})")
    op.create_index("ix_medium_uuid", "medium", [order], unique=True)


def _without_its_unique_constraint() -> None:
    """Make the table anew, as SQLite has no other way."""
    indexes = ("expires_at", "last_used_at", "content_id", "account_last_used", "account")
    for index in indexes:
        op.drop_index(f"ix_medium_{index}", "medium")
    op.rename_table("medium", "medium_0002")
    op.create_table(
        "medium",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("account_id", _Id, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("content_id", _Id, sa.ForeignKey("content.id"), nullable=False, index=True),
        sa.Column("task_type", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("expires_at", sa.BigInteger, nullable=True),
        sa.Column("visible_at", sa.BigInteger, nullable=True),
        sa.Index("ix_medium_expires_at", "expires_at", sqlite_where=sa.text("expires_at IS NOT NULL")),
        sa.Index("ix_medium_account_last_used", "account_id", "last_used_at"),
        sa.Index("ix_medium_account", "account_id", "id"),
    )
    op.execute("INSERT INTO medium SELECT * FROM medium_0002")
    op.drop_table("medium_0002")
