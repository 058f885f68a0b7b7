"""Find media by their plain UUIDs, and contents by an index on their own SHA-256s."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Replace the index and the tables that kept deleted rows together; let the count of changes begin."""
    op.drop_index("ix_medium_uuid", "medium")
    op.create_index("ix_medium_uuid", "medium", ["uuid"], unique=True)
    op.drop_table("dropped_digests")
    op.drop_table("content_digest")
    op.create_index("ix_content_sent_sha256", "content", ["sent_sha256"], unique=True)
    op.execute(
        sa.text(
            "INSERT INTO control_version (id, version) SELECT 1, 0 WHERE NOT EXISTS (SELECT 1 FROM control_version)"
        )
    )
