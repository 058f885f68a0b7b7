"""Remember which rules of scripted answers came from files, so that a start can replace them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a table beside that of the plans; until now, only rules without a name showed that a file had them."""
    op.create_table(
        "rule_of_file",
        sa.Column("plan_id", _Id, sa.ForeignKey("fault_plan.id", ondelete="CASCADE"), primary_key=True),
    )
    op.execute("INSERT INTO rule_of_file SELECT id FROM fault_plan WHERE account_id = 0 AND name LIKE 'file:%'")
