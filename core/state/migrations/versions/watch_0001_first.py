"""What was seen in a watched folder, so that nothing is added twice."""

import sqlalchemy as sa
from alembic import op

revision = "watch_0001"
down_revision = None
branch_labels = ("watch",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "watched",
        sa.Column("folder", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("size_bytes", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("changed_ns", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.CheckConstraint("state IN ('sent', 'added', 'failed', 'gone')", name="ck_watched_state"),
        sqlite_with_rowid=False,
    )
