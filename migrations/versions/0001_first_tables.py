"""First tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Migrate from nothing."""
    op.create_table(
        "secret",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "account",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("key_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("label", sa.String(40), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "content",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("sent_sha256", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("width_px", sa.Integer, nullable=False),
        sa.Column("height_px", sa.Integer, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "medium",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("uuid", sa.String(36), nullable=False, unique=True),
        sa.Column("account_id", _Id, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("content_id", _Id, sa.ForeignKey("content.id"), nullable=False, index=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("expires_at", sa.BigInteger, nullable=True, index=True),
    )
    op.create_table(
        "journal",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("account_id", _Id, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("ready_at", sa.BigInteger, nullable=False),
        sa.Column("transport", sa.String(4), nullable=False),
        sa.Column("task_type", sa.String(64), nullable=False),
        sa.Column("task_uuid", sa.String(36), nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Index("ix_journal_account_task", "account_id", "task_uuid"),
    )
    op.create_table(
        "undelivered",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("account_id", _Id, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("session_uuid", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("frame", sa.Text, nullable=False),
        sa.Index("ix_undelivered_session", "account_id", "session_uuid"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("account_id", _Id, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("method", sa.String(8), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("content_type", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
