"""Keep the pictures that scripted answers give."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a table beside that of the faults."""
    op.create_table(
        "given_picture",
        sa.Column("plan_id", _Id, sa.ForeignKey("fault_plan.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("picture", sa.Text, nullable=False),
    )
