"""What people say of a video's categories and moods."""

import sqlalchemy as sa
from alembic import op

revision = "corrections_0001"
down_revision = None
branch_labels = ("corrections",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "corrections",
        sa.Column("content_sha256", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("theme", sa.Text, primary_key=True),
        sa.Column("holds", sa.Boolean, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.CheckConstraint("kind IN ('category', 'mood')", name="ck_corrections_kind"),
        sqlite_with_rowid=False,
    )
