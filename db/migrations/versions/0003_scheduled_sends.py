"""Scheduled sends, and which worker holds a delivery

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("worker", sa.Text(), nullable=True))
    op.create_index(
        "ix_deliveries_failed", "deliveries", ["id"], unique=False, postgresql_where=sa.text("status = 'failed'")
    )
    op.create_index(
        "ix_notifications_scheduled",
        "notifications",
        ["send_at"],
        unique=False,
        postgresql_where=sa.text("status = 'scheduled'"),
    )
    op.create_index(
        "ix_notifications_never_arrived",
        "notifications",
        ["updated_at"],
        unique=False,
        postgresql_where=sa.text("status = 'cancelled' AND visible_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_notifications_never_arrived", table_name="notifications")
    op.drop_index("ix_notifications_scheduled", table_name="notifications")
    op.drop_index("ix_deliveries_failed", table_name="deliveries")
    op.drop_column("deliveries", "worker")
