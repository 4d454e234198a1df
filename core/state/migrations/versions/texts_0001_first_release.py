"""The encoded texts of release 0.1.0."""

import sqlalchemy as sa
from alembic import op

revision = "texts_0001"
down_revision = None
branch_labels = ("texts",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "texts",
        sa.Column("encoder", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, primary_key=True),
        sa.Column("used", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("by_use", "texts", ["encoder", "used"])
