"""Let each account give up its own oldest journal entries: find how many of its newest ones fit by an index."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Replace the index over the entries of all accounts together."""
    op.drop_index("ix_journal_size", "journal")
    op.create_index("ix_journal_account_size", "journal", ["account_id", "id", "size_bytes"])
