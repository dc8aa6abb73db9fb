"""Refresh tokens, API keys, and sessions that may not do everything

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=True))
    op.add_column("sessions", sa.Column("issued_by", sa.BigInteger(), nullable=True))
    op.alter_column("sessions", "token_hash", existing_type=sa.LargeBinary(), nullable=True)
    op.alter_column("sessions", "last_seen_at", existing_type=DateTimeUTC(timezone=True), nullable=True)
    op.create_check_constraint(
        op.f("ck_sessions_scopes"),
        "sessions",
        "scopes <@ ARRAY['read', 'mark', 'stream', 'send', 'broadcast', 'alert', 'act-as']",
    )
    op.create_foreign_key(
        op.f("fk_sessions_issued_by_sessions"), "sessions", "sessions", ["issued_by"], ["id"], ondelete="CASCADE"
    )
    op.create_index("ix_sessions_issued_by", "sessions", ["issued_by"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", DateTimeUTC(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("used_at", DateTimeUTC(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_refresh_tokens_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
    )
    op.create_index("ix_refresh_tokens_session", "refresh_tokens", ["session_id"], unique=False)
    op.create_index("ix_refresh_tokens_age", "refresh_tokens", ["used_at"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("networks", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("ends_at", DateTimeUTC(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_api_keys_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_api_keys")),
    )


def downgrade() -> None:
    op.drop_table("api_keys")
    op.drop_table("refresh_tokens")
    op.execute("DELETE FROM sessions WHERE scopes IS NOT NULL")
    op.drop_index("ix_sessions_issued_by", table_name="sessions")
    op.drop_constraint(op.f("fk_sessions_issued_by_sessions"), "sessions", type_="foreignkey")
    op.drop_constraint(op.f("ck_sessions_scopes"), "sessions", type_="check")
    op.alter_column("sessions", "last_seen_at", existing_type=DateTimeUTC(timezone=True), nullable=False)
    op.alter_column("sessions", "token_hash", existing_type=sa.LargeBinary(), nullable=False)
    op.drop_column("sessions", "issued_by")
    op.drop_column("sessions", "scopes")
