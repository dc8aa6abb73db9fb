"""Mails about accounts with links that work once, accounts to be, and accounts that go

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KINDS = "'register', 'verify', 'address', 'reset', 'invite', 'exists', 'password_changed', 'address_changed'"
NOW = sa.text("now()")


def upgrade() -> None:
    op.add_column("users", sa.Column("deleted_at", DateTimeUTC(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_users_deleted"), "users", "deleted_at IS NULL OR disabled_at IS NOT NULL")
    op.create_index(
        "ix_users_admins", "users", ["id"], postgresql_where=sa.text("role = 'admin' AND disabled_at IS NULL")
    )
    op.create_index("ix_users_deleted", "users", ["id"], postgresql_where=sa.text("deleted_at IS NOT NULL"))
    # until now only whoever runs the machine could make admins, and knew whom
    op.execute("UPDATE users SET email_verified_at = created_at WHERE role = 'admin' AND email_verified_at IS NULL")
    op.add_column(
        "sessions", sa.Column("authenticated_at", DateTimeUTC(timezone=True), server_default=NOW, nullable=False)
    )
    op.execute("UPDATE sessions SET authenticated_at = created_at")
    op.create_table(
        "security_mails",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False, start=1, increment=1),
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", DateTimeUTC(timezone=True), server_default=NOW, nullable=False),
        sa.Column("expires_at", DateTimeUTC(timezone=True), nullable=True),
        sa.Column("ended_at", DateTimeUTC(timezone=True), nullable=True),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_security_mails_kind")),
        sa.CheckConstraint("num_nonnulls(seed, token_hash, expires_at) IN (0, 3)", name=op.f("ck_security_mails_link")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_security_mails_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_mails")),
    )
    op.create_index("ux_security_mails_token", "security_mails", ["token_hash"], unique=True)
    op.create_index("ix_security_mails_user", "security_mails", ["user_id"])
    op.create_index("ix_security_mails_age", "security_mails", ["created_at"])
    op.create_index(
        "ix_security_mails_invited",
        "security_mails",
        [sa.literal_column("lower(email)")],
        postgresql_where=sa.text("kind = 'invite'"),
    )
    op.create_table(
        "pending_accounts",
        sa.Column("mail_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), server_default="", nullable=False),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("invited_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("role IN ('member', 'sender', 'admin')", name=op.f("ck_pending_accounts_role")),
        sa.ForeignKeyConstraint(
            ["mail_id"],
            ["security_mails.id"],
            name=op.f("fk_pending_accounts_mail_id_security_mails"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name=op.f("fk_pending_accounts_invited_by_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_pending_accounts")),
    )
    op.create_index("ix_pending_accounts_invited_by", "pending_accounts", ["invited_by"])
    op.add_column("deliveries", sa.Column("security_mail_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_deliveries_security_mail_id_security_mails"),
        "deliveries",
        "security_mails",
        ["security_mail_id"],
        ["id"],
        ondelete="CASCADE",
    )
    for column in ("notification_id", "user_id"):
        op.alter_column("deliveries", column, existing_type=sa.BigInteger(), nullable=True)
    op.create_check_constraint(
        op.f("ck_deliveries_one_cause"), "deliveries", "num_nonnulls(notification_id, security_mail_id) = 1"
    )
    op.create_check_constraint(
        op.f("ck_deliveries_recipient"), "deliveries", "user_id IS NOT NULL OR notification_id IS NULL"
    )
    op.create_index(
        "ux_deliveries_security_mail",
        "deliveries",
        ["security_mail_id"],
        unique=True,
        postgresql_where=sa.text("security_mail_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.execute("DELETE FROM deliveries WHERE notification_id IS NULL")
    op.drop_index("ux_deliveries_security_mail", table_name="deliveries")
    op.drop_constraint(op.f("ck_deliveries_recipient"), "deliveries", type_="check")
    op.drop_constraint(op.f("ck_deliveries_one_cause"), "deliveries", type_="check")
    for column in ("user_id", "notification_id"):
        op.alter_column("deliveries", column, existing_type=sa.BigInteger(), nullable=False)
    op.drop_column("deliveries", "security_mail_id")
    op.drop_table("pending_accounts")
    op.drop_table("security_mails")
    op.drop_column("sessions", "authenticated_at")
    op.drop_index("ix_users_deleted", table_name="users")
    op.drop_index("ix_users_admins", table_name="users")
    op.drop_constraint(op.f("ck_users_deleted"), "users", type_="check")
    op.drop_column("users", "deleted_at")
