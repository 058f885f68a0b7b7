"""The tables. Every `*_at` is milliseconds since 1970-01-01 UTC.

Content is kept apart from the narrow medium row, so that renewing a medium's last use never touches a blob.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()

# SQLite generates only INTEGER primary keys.
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
    # How many UUIDs a server with `--seed` has generated for it.
    Column("issued", BigInteger, nullable=False, server_default="0"),
)

content = Table(
    "content",
    metadata,
    Column("id", _Id, primary_key=True),
    # The digest of the bytes that were sent, by which a content is found.
    Column("sent_sha256", LargeBinary(32), nullable=False),
    Column("format", String(8), nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("sent_size_bytes", BigInteger, nullable=False),
    Column("sent_width_px", Integer, nullable=False),
    Column("sent_height_px", Integer, nullable=False),
    Column("orientation", Integer, nullable=False),
    # The object that holds the bytes, if they are not in this row.
    Column("object_key", String(128), nullable=True),
    # Last, so that reading the columns above never reads the picture's pages.
    Column("bytes", LargeBinary, nullable=True),
    CheckConstraint("(bytes IS NULL) <> (object_key IS NULL)", name="ck_content_bytes"),
    # The same for PostgreSQL would make SQLite import its dialect, too.
    Index("ix_content_sent_sha256", "sent_sha256", unique=True),
    Index("ix_content_object_key", "object_key", sqlite_where=text("object_key IS NOT NULL")),
)

# Objects whose row was deleted, until they are deleted too.
dropped_object = Table("dropped_object", metadata, Column("object_key", String(128), primary_key=True))

medium = Table(
    "medium",
    metadata,
    Column("id", _Id, primary_key=True),
    # Always in lower case.
    Column("uuid", String(36), nullable=False),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("content_id", ForeignKey("content.id"), nullable=False, index=True),
    Column("task_type", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=False, index=True),
    # Set only for results with a time to live of their own, and by fault plans.
    Column("expires_at", BigInteger, nullable=True),
    # Set only by fault plans.
    Column("visible_at", BigInteger, nullable=True),
    Index("ix_medium_uuid", "uuid", unique=True),
    # Not partial for PostgreSQL, which would make SQLite import its dialect; a full index does as well.
    Index("ix_medium_expires_at", "expires_at", sqlite_where=text("expires_at IS NOT NULL")),
    # An account with a clock of its own is purged by that clock.
    Index("ix_medium_account_last_used", "account_id", "last_used_at"),
    # To find the newest of an account, however many it has.
    Index("ix_medium_account", "account_id", "id"),
)

journal = Table(
    "journal",
    metadata,
    Column("id", _Id, primary_key=True),
    # Null for a request that opened no account.
    Column("account_id", ForeignKey("account.id"), nullable=True),
    Column("at", BigInteger, nullable=False),
    Column("ready_at", BigInteger, nullable=False),
    Column("transport", String(4), nullable=False),
    Column("task_type", String(64), nullable=False),
    Column("task_uuid", String(36), nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("answer", Text, nullable=False),
    # The task with its long values cut, its sender, facts of its upload, and the faults it met: JSON if not plain text.
    Column("task", Text, nullable=False),
    Column("client", String(100), nullable=True),
    Column("audit", Text, nullable=True),
    Column("faults", Text, nullable=True),
    Column("duration_us", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("kind", String(8), nullable=False, server_default="task"),
    # The status of the answer, 0 if nothing was sent; and, as JSON, the body that a fault made of it.
    Column("status", Integer, nullable=True),
    Column("sent_body", Text, nullable=True),
    Index("ix_journal_account_task", "account_id", "task_uuid", "kind"),
    # Covers the query for how many of an account's newest entries fit.
    Index("ix_journal_account_size", "account_id", "id", "size_bytes", "kind"),
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
    # During an attempt: the complement, which is negative, and the real time when the attempt counts as lost.
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)

# Tasks that an account may still begin, and when they were counted, by its own clock.
quota_bucket = Table(
    "quota_bucket",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("counted_at", BigInteger, nullable=False),
)

# The row of account 0 is for all accounts without one of their own.
account_clock = Table(
    "account_clock",
    metadata,
    Column("account_id", _Id, primary_key=True, autoincrement=False),
    Column("offset_ms", BigInteger, nullable=False),
    Column("frozen_at", BigInteger, nullable=True),
)

# Its one row changes with every control call, so that other processes know when to reload.
control_version = Table(
    "control_version",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)

# Account 0 means all accounts.
fault_plan = Table(
    "fault_plan",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("name", String(100), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("must_be_met", Boolean, nullable=False),
    Column("by_name_only", Boolean, nullable=False),
    Index("ix_fault_plan_account_name", "account_id", "name", unique=True),
)

fault = Table(
    "fault",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("plan_id", ForeignKey("fault_plan.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("spec", Text, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("met", BigInteger, nullable=False),
    # Of a rate limit: the tokens left, and when they were counted.
    Column("tokens", Float, nullable=True),
    Column("counted_at", BigInteger, nullable=True),
)

# The plans that are rules of `--answers`: a start replaces them.
rule_of_file = Table(
    "rule_of_file",
    metadata,
    Column("plan_id", ForeignKey("fault_plan.id", ondelete="CASCADE"), primary_key=True),
)

# The pictures that scripted answers give, apart from what is read to find the answer.
given_picture = Table(
    "given_picture",
    metadata,
    Column("plan_id", ForeignKey("fault_plan.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    # Base64.
    Column("picture", Text, nullable=False),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("version", String(32), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("media", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("ix_snapshot_account_name", "account_id", "name", unique=True),
)

# Contents that a snapshot needs are not purged.
snapshot_content = Table(
    "snapshot_content",
    metadata,
    Column("snapshot_id", ForeignKey("snapshot.id", ondelete="CASCADE"), primary_key=True),
    Column("content_id", ForeignKey("content.id"), primary_key=True, index=True),
)
