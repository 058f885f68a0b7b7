"""The tables. Every `*_at` is milliseconds since 1970-01-01 UTC.

Content is kept apart from the narrow medium row, so that renewing a medium's last use never touches a blob.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

# SQLite only fills INTEGER primary keys by itself.
_Id = BigInteger().with_variant(Integer, "sqlite")

secret = Table(
    "secret",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("label", String(40), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

content = Table(
    "content",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("sent_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("format", String(8), nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Last, so that reading the columns above never reads the picture's pages.
    Column("bytes", LargeBinary, nullable=False),
)

medium = Table(
    "medium",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("content_id", ForeignKey("content.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=False, index=True),
    # Only for results that were asked for with a time to live of their own.
    Column("expires_at", BigInteger, nullable=True, index=True),
)

journal = Table(
    "journal",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("ready_at", BigInteger, nullable=False),
    Column("transport", String(4), nullable=False),
    Column("task_type", String(64), nullable=False),
    Column("task_uuid", String(36), nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("answer", Text, nullable=False),
    Index("ix_journal_account_task", "account_id", "task_uuid"),
)

undelivered = Table(
    "undelivered",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("session_uuid", String(64), nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("frame", Text, nullable=False),
    Index("ix_undelivered_session", "account_id", "session_uuid"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("method", String(8), nullable=False),
    Column("url", Text, nullable=False),
    Column("content_type", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)
