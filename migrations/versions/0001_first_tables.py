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
        sa.Column("issued", sa.BigInteger, nullable=False, server_default="0"),
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
        sa.Column("sent_size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sent_width_px", sa.Integer, nullable=False),
        sa.Column("sent_height_px", sa.Integer, nullable=False),
        sa.Column("orientation", sa.Integer, nullable=False),
        sa.Column("object_key", sa.String(128), nullable=True),
        sa.Column("bytes", sa.LargeBinary, nullable=True),
        sa.CheckConstraint("(bytes IS NULL) <> (object_key IS NULL)", name="ck_content_bytes"),
        sa.Index("ix_content_object_key", "object_key", sqlite_where=sa.text("object_key IS NOT NULL")),
    )
    op.create_table("dropped_object", sa.Column("object_key", sa.String(128), primary_key=True))
    ends_sooner = sa.text("expires_at IS NOT NULL")
    op.create_table(
        "medium",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("uuid", sa.String(36), nullable=False, unique=True),
        sa.Column("account_id", _Id, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("content_id", _Id, sa.ForeignKey("content.id"), nullable=False, index=True),
        sa.Column("task_type", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("expires_at", sa.BigInteger, nullable=True),
        sa.Column("visible_at", sa.BigInteger, nullable=True),
        sa.Index("ix_medium_expires_at", "expires_at", sqlite_where=ends_sooner),
        sa.Index("ix_medium_account_last_used", "account_id", "last_used_at"),
        sa.Index("ix_medium_account", "account_id", "id"),
    )
    op.create_table(
        "journal",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("account_id", _Id, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("ready_at", sa.BigInteger, nullable=False),
        sa.Column("transport", sa.String(4), nullable=False),
        sa.Column("task_type", sa.String(64), nullable=False),
        sa.Column("task_uuid", sa.String(36), nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("client", sa.String(100), nullable=True),
        sa.Column("audit", sa.Text, nullable=True),
        sa.Column("faults", sa.Text, nullable=True),
        sa.Column("duration_us", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Index("ix_journal_account_task", "account_id", "task_uuid"),
        sa.Index("ix_journal_size", "id", "size_bytes"),
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
    op.create_table(
        "account_clock",
        sa.Column("account_id", _Id, primary_key=True, autoincrement=False),
        sa.Column("offset_ms", sa.BigInteger, nullable=False),
        sa.Column("frozen_at", sa.BigInteger, nullable=True),
    )
    op.create_table(
        "control_version",
        sa.Column("id", _Id, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "fault_plan",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("must_be_met", sa.Boolean, nullable=False),
        sa.Column("by_name_only", sa.Boolean, nullable=False),
        sa.Index("ix_fault_plan_account_name", "account_id", "name", unique=True),
    )
    op.create_table(
        "fault",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("plan_id", _Id, sa.ForeignKey("fault_plan.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.Column("met", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.Float, nullable=True),
        sa.Column("counted_at", sa.BigInteger, nullable=True),
    )
    op.create_table(
        "snapshot",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("account_id", _Id, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("media", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Index("ix_snapshot_account_name", "account_id", "name", unique=True),
    )
    op.create_table(
        "snapshot_content",
        sa.Column("snapshot_id", _Id, sa.ForeignKey("snapshot.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("content_id", _Id, sa.ForeignKey("content.id"), primary_key=True, index=True),
    )
