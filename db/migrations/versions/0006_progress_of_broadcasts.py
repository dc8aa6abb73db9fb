"""How far the e-mails of a broadcast got is counted where they change, and old broadcasts go in pieces

Revision ID: 0006
Revises: 0005
"""

import advanced_alchemy.types
import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENTS = ("rated_at", "sending_since", "told_at")

# Whatever changes the status of deliveries, these counters follow in its transaction. The rows are locked in the order
# of their ids, so that two workers which settle mails of the same broadcasts wait for each other and do not deadlock.
# `rate` decays by e in 30 s, so it looks back over about a minute; `sending_since` says how much of that there was.
COUNT = """
CREATE FUNCTION count_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    halting CONSTANT text[] := '{scheduled,pending,processing}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        WITH change AS (
            SELECT notification_id, count(*) AS gone, count(*) FILTER (WHERE status = 'sent') AS sent,
                   count(*) FILTER (WHERE status = 'failed') AS failed,
                   count(*) FILTER (WHERE status <> ALL (halting)) AS ended
            FROM was GROUP BY notification_id
        ), locked AS (
            SELECT c.* FROM expansions e JOIN change c USING (notification_id)
            ORDER BY notification_id FOR NO KEY UPDATE OF e
        )
        UPDATE expansions e
        SET expanded = e.expanded - l.gone, sent = e.sent - l.sent, failed = e.failed - l.failed,
            ended = e.ended - l.ended
        FROM locked l WHERE e.notification_id = l.notification_id;
        RETURN NULL;
    END IF;
    WITH moved AS (
        SELECT notification_id, status, -1 AS n FROM was WHERE status <> ALL (halting)
        UNION ALL
        SELECT notification_id, status, 1 FROM became WHERE status <> ALL (halting)
    ), change AS (
        SELECT notification_id, coalesce(sum(n) FILTER (WHERE status = 'sent'), 0) AS sent,
               coalesce(sum(n) FILTER (WHERE status = 'failed'), 0) AS failed, sum(n) AS ended
        FROM moved GROUP BY notification_id
    ), locked AS (
        SELECT c.*, e.rated_at IS NULL OR e.rated_at < now() - interval '1 minute' AS afresh
        FROM expansions e JOIN change c USING (notification_id)
        ORDER BY notification_id FOR NO KEY UPDATE OF e
    )
    UPDATE expansions e
    SET sent = e.sent + l.sent, failed = e.failed + l.failed, ended = e.ended + l.ended,
        rate = greatest(l.sent, 0) / 30.0
            + CASE WHEN l.afresh THEN 0
              ELSE e.rate * exp(-greatest(extract(epoch FROM now() - e.rated_at), 0) / 30.0) END,
        sending_since = CASE WHEN l.afresh THEN now() ELSE e.sending_since END,
        rated_at = greatest(now(), e.rated_at)
    FROM locked l WHERE e.notification_id = l.notification_id;
    RETURN NULL;
END $$
"""
ON_UPDATE = """
CREATE TRIGGER deliveries_updated AFTER UPDATE ON deliveries REFERENCING OLD TABLE AS was NEW TABLE AS became
FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries()
"""
ON_DELETE = """
CREATE TRIGGER deliveries_deleted AFTER DELETE ON deliveries REFERENCING OLD TABLE AS was
FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries()
"""

SO_FAR = """
UPDATE expansions e SET sent = d.sent, failed = d.failed, ended = d.ended, total = i.audience
FROM expansions x CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE status = 'sent') AS sent, count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status NOT IN ('scheduled', 'pending', 'processing')) AS ended
    FROM deliveries WHERE notification_id = x.notification_id
) d CROSS JOIN LATERAL (
    SELECT count(*) AS audience FROM inboxes
    WHERE broadcasts_from < x.broadcasts_below AND user_id <= x.last_user_id
) i
WHERE x.notification_id = e.notification_id
"""


def upgrade() -> None:
    for name in ("sent", "failed", "ended"):
        op.add_column("expansions", sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("expansions", sa.Column("rate", sa.Float(), server_default=sa.text("0"), nullable=False))
    for name in MOMENTS:
        moment = advanced_alchemy.types.datetime.DateTimeUTC(timezone=True)
        op.add_column("expansions", sa.Column(name, moment, nullable=True))
    op.create_index(
        "ix_notifications_withdrawn",
        "notifications",
        ["id"],
        postgresql_where=sa.text("user_id IS NULL AND deleted_at IS NOT NULL"),
    )
    op.drop_index("ix_broadcast_receipts_notification", table_name="broadcast_receipts")
    op.create_index("ix_broadcast_receipts_notification", "broadcast_receipts", ["notification_id", "user_id"])
    for statement in (COUNT, ON_UPDATE, ON_DELETE, SO_FAR):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER deliveries_updated ON deliveries")
    op.execute("DROP TRIGGER deliveries_deleted ON deliveries")
    op.execute("DROP FUNCTION count_deliveries()")
    op.drop_index("ix_broadcast_receipts_notification", table_name="broadcast_receipts")
    op.create_index("ix_broadcast_receipts_notification", "broadcast_receipts", ["notification_id"])
    op.drop_index("ix_notifications_withdrawn", table_name="notifications")
    for name in (*MOMENTS, "rate", "ended", "failed", "sent"):
        op.drop_column("expansions", name)
