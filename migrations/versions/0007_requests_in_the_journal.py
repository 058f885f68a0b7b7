"""Let the journal hold requests that ran no task or opened no account, and say what each answer's status was."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns; every entry so far is that of a task."""
    op.drop_index("ix_journal_account_size", "journal")
    op.drop_index("ix_journal_account_task", "journal")
    with op.batch_alter_table("journal") as batch:
        batch.alter_column("account_id", existing_type=_Id, nullable=True)
        batch.add_column(sa.Column("kind", sa.String(8), nullable=False, server_default="task"))
        batch.add_column(sa.Column("status", sa.Integer, nullable=True))
        batch.add_column(sa.Column("sent_body", sa.Text, nullable=True))
    op.create_index("ix_journal_account_task", "journal", ["account_id", "task_uuid", "kind"])
    op.create_index("ix_journal_account_size", "journal", ["account_id", "id", "size_bytes", "kind"])
