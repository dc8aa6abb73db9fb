"""The first tables

Revision ID: 0001
Revises:
"""

import advanced_alchemy.types
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "broadcast_clock",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("modseq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("floor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_broadcast_clock_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_clock")),
    )
    op.execute("INSERT INTO broadcast_clock (id) VALUES (1)")
    op.create_table(
        "users",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False, start=1, increment=1),
            nullable=False,
        ),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), server_default="member", nullable=False),
        sa.Column("email_verified_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("disabled_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            advanced_alchemy.types.datetime.DateTimeUTC(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("role IN ('member', 'sender', 'admin')", name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("ux_users_email", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "idempotency",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=True),
        sa.Column(
            "created_at",
            advanced_alchemy.types.datetime.DateTimeUTC(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotency_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "route", "key", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_age", "idempotency", ["created_at"], unique=False)
    op.create_table(
        "inboxes",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("modseq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("unread", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("broadcasts_from", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("floor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("unread >= 0", name=op.f("ck_inboxes_unread")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_inboxes_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_inboxes")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "notifications",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False, start=1, increment=1),
            nullable=False,
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("sender_id", sa.BigInteger(), nullable=True),
        sa.Column("modseq", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), server_default="", nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("3"), nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("channels", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), server_default="none", nullable=False),
        sa.Column("send_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.Column("expires_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.Column("visible_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.Column("read_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.Column("deleted_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            advanced_alchemy.types.datetime.DateTimeUTC(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            advanced_alchemy.types.datetime.DateTimeUTC(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "status IN ('none', 'scheduled', 'pending', 'processing', 'sent', 'failed', 'uncertain', 'cancelled', 'suppressed', 'expired')",
            name=op.f("ck_notifications_status"),
        ),
        sa.CheckConstraint("char_length(content) <= 20000", name=op.f("ck_notifications_content")),
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 255", name=op.f("ck_notifications_title")),
        sa.CheckConstraint("priority BETWEEN 1 AND 5", name=op.f("ck_notifications_priority")),
        sa.ForeignKeyConstraint(
            ["sender_id"], ["users.id"], name=op.f("fk_notifications_sender_id_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notifications_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        postgresql_with={"fillfactor": "85"},
    )
    op.create_index(
        "ix_notifications_age",
        "notifications",
        ["visible_at"],
        unique=False,
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_broadcast_list",
        "notifications",
        [sa.literal_column("visible_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("user_id IS NULL"),
    )
    op.create_index(
        "ix_notifications_changes",
        "notifications",
        ["user_id", "modseq"],
        unique=False,
        postgresql_where=sa.text("modseq IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_inbox",
        "notifications",
        ["user_id", sa.literal_column("visible_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("modseq IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_notifications_read",
        "notifications",
        ["user_id", sa.literal_column("visible_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("modseq IS NOT NULL AND deleted_at IS NULL AND read_at IS NOT NULL"),
    )
    op.create_index("ix_notifications_sent", "notifications", ["sender_id", sa.literal_column("id DESC")], unique=False)
    op.create_index(
        "ix_notifications_unread",
        "notifications",
        ["user_id", sa.literal_column("visible_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("modseq IS NOT NULL AND deleted_at IS NULL AND read_at IS NULL"),
    )
    op.create_index(
        "ux_notifications_broadcasts",
        "notifications",
        ["modseq"],
        unique=True,
        postgresql_where=sa.text("user_id IS NULL AND modseq IS NOT NULL"),
    )
    op.create_table(
        "sessions",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False, start=1, increment=1),
            nullable=False,
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_agent", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "created_at",
            advanced_alchemy.types.datetime.DateTimeUTC(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "last_seen_at",
            advanced_alchemy.types.datetime.DateTimeUTC(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_age", "sessions", ["expires_at"], unique=False)
    op.create_index("ix_sessions_user", "sessions", ["user_id"], unique=False)
    op.create_index("ux_sessions_token", "sessions", ["token_hash"], unique=True)
    op.create_table(
        "broadcast_receipts",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("modseq", sa.BigInteger(), nullable=False),
        sa.Column("read_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('read', 'unread', 'hidden')", name=op.f("ck_broadcast_receipts_state")),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_broadcast_receipts_notification_id_notifications"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_broadcast_receipts_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "notification_id", name=op.f("pk_broadcast_receipts")),
    )
    op.create_index("ix_broadcast_receipts_changes", "broadcast_receipts", ["user_id", "modseq"], unique=False)
    op.create_index("ix_broadcast_receipts_notification", "broadcast_receipts", ["notification_id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False, start=1, increment=1),
            nullable=False,
        ),
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="email", nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "due_at",
            advanced_alchemy.types.datetime.DateTimeUTC(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("leased_until", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.Column("handed_over_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("smtp_code", sa.Integer(), nullable=True),
        sa.Column(
            "created_at",
            advanced_alchemy.types.datetime.DateTimeUTC(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("sent_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('scheduled', 'pending', 'processing', 'sent', 'failed', 'uncertain', 'cancelled', 'suppressed', 'expired')",
            name=op.f("ck_deliveries_status"),
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_deliveries_notification_id_notifications"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_deliveries_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("notification_id", "user_id", "channel", name=op.f("uq_deliveries_notification_id")),
        postgresql_with={"fillfactor": "85"},
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["lane", "due_at"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_deliveries_leased",
        "deliveries",
        ["leased_until"],
        unique=False,
        postgresql_where=sa.text("status = 'processing'"),
    )
    op.create_index("ix_deliveries_user", "deliveries", ["user_id"], unique=False)
    op.create_table(
        "expansions",
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.Column("broadcasts_below", sa.BigInteger(), nullable=False),
        sa.Column("last_user_id", sa.BigInteger(), nullable=False),
        sa.Column("after_user_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("expanded", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "started_at",
            advanced_alchemy.types.datetime.DateTimeUTC(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_expansions_notification_id_notifications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_expansions")),
    )
    op.create_index(
        "ix_expansions_open",
        "expansions",
        ["notification_id"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False, start=1, increment=1),
            nullable=False,
        ),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("started_at", advanced_alchemy.types.datetime.DateTimeUTC(timezone=True), nullable=False),
        sa.Column(
            "ended_at",
            advanced_alchemy.types.datetime.DateTimeUTC(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_delivery_attempts_delivery_id_deliveries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempts")),
    )
    op.create_index("ix_delivery_attempts_delivery", "delivery_attempts", ["delivery_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_delivery_attempts_delivery", table_name="delivery_attempts")
    op.drop_table("delivery_attempts")
    op.drop_index("ix_expansions_open", table_name="expansions", postgresql_where=sa.text("finished_at IS NULL"))
    op.drop_table("expansions")
    op.drop_index("ix_deliveries_user", table_name="deliveries")
    op.drop_index("ix_deliveries_leased", table_name="deliveries", postgresql_where=sa.text("status = 'processing'"))
    op.drop_index("ix_deliveries_due", table_name="deliveries", postgresql_where=sa.text("status = 'pending'"))
    op.drop_table("deliveries")
    op.drop_index("ix_broadcast_receipts_notification", table_name="broadcast_receipts")
    op.drop_index("ix_broadcast_receipts_changes", table_name="broadcast_receipts")
    op.drop_table("broadcast_receipts")
    op.drop_index("ux_sessions_token", table_name="sessions")
    op.drop_index("ix_sessions_user", table_name="sessions")
    op.drop_index("ix_sessions_age", table_name="sessions")
    op.drop_table("sessions")
    op.drop_index(
        "ux_notifications_broadcasts",
        table_name="notifications",
        postgresql_where=sa.text("user_id IS NULL AND modseq IS NOT NULL"),
    )
    op.drop_index(
        "ix_notifications_unread",
        table_name="notifications",
        postgresql_where=sa.text("modseq IS NOT NULL AND deleted_at IS NULL AND read_at IS NULL"),
    )
    op.drop_index("ix_notifications_sent", table_name="notifications")
    op.drop_index(
        "ix_notifications_read",
        table_name="notifications",
        postgresql_where=sa.text("modseq IS NOT NULL AND deleted_at IS NULL AND read_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_notifications_inbox",
        table_name="notifications",
        postgresql_where=sa.text("modseq IS NOT NULL AND deleted_at IS NULL"),
    )
    op.drop_index(
        "ix_notifications_changes", table_name="notifications", postgresql_where=sa.text("modseq IS NOT NULL")
    )
    op.drop_index(
        "ix_notifications_broadcast_list", table_name="notifications", postgresql_where=sa.text("user_id IS NULL")
    )
    op.drop_index("ix_notifications_age", table_name="notifications", postgresql_where=sa.text("user_id IS NOT NULL"))
    op.drop_table("notifications")
    op.drop_table("inboxes")
    op.drop_index("ix_idempotency_age", table_name="idempotency")
    op.drop_table("idempotency")
    op.drop_index("ux_users_email", table_name="users")
    op.drop_table("users")
    op.drop_table("broadcast_clock")
