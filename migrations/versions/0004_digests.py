"""Find contents by the SHA-256 of what was sent in a table of its own, from which a purge deletes many in order."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables, and let SHA-256s be unique there."""
    op.create_table(
        "content_digest",
        sa.Column("sent_sha256", sa.LargeBinary(32), primary_key=True),
        sa.Column("content_id", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dropped_digests",
        sa.Column("id", _Id, primary_key=True, autoincrement=False),
        sa.Column("sent_sha256s", sa.LargeBinary, nullable=False),
    )
    op.execute("INSERT INTO content_digest SELECT sent_sha256, id FROM content ORDER BY sent_sha256")
    if op.get_context().dialect.name != "sqlite":
        op.drop_constraint("content_sent_sha256_key", "content", type_="unique")
        return
    _without_its_unique_constraint()


def _without_its_unique_constraint() -> None:
    """Make the table anew, as SQLite has no other way; rows of other tables go on pointing at it by its name."""
    op.drop_index("ix_content_object_key", "content")
    op.execute("PRAGMA legacy_alter_table=ON")
    op.rename_table("content", "content_0003")
    op.execute("PRAGMA legacy_alter_table=OFF")
    op.create_table(
        "content",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("sent_sha256", sa.LargeBinary(32), nullable=False),
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
    op.execute("INSERT INTO content SELECT * FROM content_0003")
    op.drop_table("content_0003")
