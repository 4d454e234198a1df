"""The jobs that machines share, their claims, the pauses of encoders, and what was paid for."""

import sqlalchemy as sa
from alembic import op

revision = "queue_0001"
down_revision = None
branch_labels = ("queue",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "queue",
        sa.Column("number", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("worked_s", sa.Float, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("duplicate", sa.Boolean, nullable=False),
        sa.Column("cancel", sa.Boolean, nullable=False),
        sa.Column("claimed", sa.Boolean, nullable=False),
        sa.Column("untidy", sa.Boolean, nullable=False),
        sa.Column("work", sa.Text, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("away_since", sa.Double, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.Column("mark", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("id", name="uq_queue_id"),
    )
    op.create_index("queue_by_mark", "queue", ["mark"])
    op.create_table(
        "claims",
        sa.Column("content", sa.Text, primary_key=True),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
    )
    op.create_table(
        "pauses",
        sa.Column("encoder", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("next_probe", sa.Double, nullable=False),
        sa.Column("probes", sa.Integer, nullable=False),
        sa.Column("probe", sa.Text),
    )
    op.create_table(
        "paid",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
    )
