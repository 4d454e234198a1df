"""The profiles and their marks of release 0.1.0."""

import sqlalchemy as sa
from alembic import op

revision = "taste_0001"
down_revision = None
branch_labels = ("taste",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "marks",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("video_id", sa.Text, nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.UniqueConstraint("profile", "video_id", "mark", name="uq_marks_profile"),
        sa.CheckConstraint("mark IN ('like', 'dislike', 'seen')", name="ck_marks_mark"),
    )
