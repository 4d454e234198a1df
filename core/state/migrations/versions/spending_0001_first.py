"""What was given to a service that charges by the minute."""

import sqlalchemy as sa
from alembic import op

revision = "spending_0001"
down_revision = None
branch_labels = ("spending",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spending",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("by", sa.Text),
        sa.Column("seconds", sa.Float, nullable=False),
    )
    op.create_index("by_day", "spending", ["day", "by"])
