"""Videos that were deleted and can still be had back, with all that an index held of them."""

import sqlalchemy as sa
from alembic import op

revision = "trash_0001"
down_revision = None
branch_labels = ("trash",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trash",
        sa.Column("video_id", sa.Text, primary_key=True),
        sa.Column("content_sha256", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("media_key", sa.Text, nullable=False),
        sa.Column("poster_key", sa.Text),
        sa.Column("duration_s", sa.Float, nullable=False),
        sa.Column("deleted_at", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.CheckConstraint("state IN ('trashed', 'restoring', 'purging')", name="ck_trash_state"),
    )
    op.create_index("by_content", "trash", ["content_sha256"])
    op.create_table(
        "trashed_entries",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("video_id", sa.Text, nullable=False),
        sa.Column("encoder", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_index("by_video", "trashed_entries", ["video_id"])
