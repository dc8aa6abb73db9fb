"""What the database says in the end, and whether there is anything left to do in it."""

from collections import defaultdict

from sqlalchemy import text

from db import Database
from db.queries import inbox
from tests.realtime import history
from tests.soak.evidence import Attempt, Box, Delivery, Evidence, Item

FINAL = ("sent", "failed", "uncertain", "cancelled", "suppressed", "expired")

UNFINISHED = text("""
    SELECT (SELECT count(*) FROM deliveries WHERE status <> ALL(:final))
         + (SELECT count(*) FROM expansions WHERE finished_at IS NULL)
         + (SELECT count(*) FROM notifications WHERE status = 'scheduled')
""")
ITEMS = text("""
    SELECT id, user_id, title, modseq, extract(epoch FROM coalesce(visible_at, created_at)) AS placed,
           CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN read_at IS NULL THEN 'unread' ELSE 'read' END AS state
    FROM notifications
""")
DELIVERIES = text("""
    SELECT d.id, notification_id, d.user_id, d.status, attempts,
           extract(epoch FROM greatest(d.created_at, n.send_at)) AS created
    FROM deliveries d JOIN notifications n ON n.id = notification_id
""")
ATTEMPTS = text("""
    SELECT delivery_id, worker, extract(epoch FROM started_at) AS began, extract(epoch FROM ended_at) AS ended,
           outcome, coalesce(text, '') AS said
    FROM delivery_attempts ORDER BY id
""")
EMAILS = text("SELECT id, email FROM users")
RECEIPTS = text("SELECT user_id, notification_id, state FROM broadcast_receipts")


async def unfinished(db: Database) -> int:
    """How many e-mails have not come to their end, and how much is yet to arrive or to be expanded."""
    async with db.statement() as tx:
        return int(await tx.scalar(UNFINISHED, {"final": list(FINAL)}) or 0)


async def positions(db: Database, users: list[int]) -> dict[int, inbox.Position]:
    async with db.statement() as tx:
        return await inbox.positions(tx, users)


async def read(db: Database, evidence: Evidence) -> None:
    """Put into the evidence what the database holds."""
    async with db.snapshot() as tx:
        for row in await tx.execute(ITEMS):
            evidence.items[row.id] = Item(
                id=row.id,
                user=row.user_id,
                token=row.title,
                number=row.modseq,
                created=float(row.placed),
                place=(float(row.placed), row.id),
                state=row.state,
            )
        tried = defaultdict(list)
        for row in await tx.execute(ATTEMPTS):
            tried[row.delivery_id].append(
                Attempt(
                    worker=row.worker,
                    began=float(row.began),
                    ended=float(row.ended),
                    outcome=row.outcome,
                    text=row.said,
                )
            )
        for row in await tx.execute(DELIVERIES):
            evidence.deliveries.append(
                Delivery(
                    id=row.id,
                    notification=row.notification_id,
                    user=row.user_id,
                    status=row.status,
                    attempts=row.attempts,
                    created=float(row.created),
                    tried=tried[row.id],
                )
            )
        emails = {row.id: row.email for row in await tx.execute(EMAILS)}
        receipts: defaultdict[int, dict[int, str]] = defaultdict(dict)
        for row in await tx.execute(RECEIPTS):
            receipts[row.user_id][row.notification_id] = row.state
        for user, at in (await inbox.positions(tx, emails)).items():
            evidence.boxes[user] = Box(
                user=user,
                email=emails[user],
                position=(at.modseq, at.broadcast_modseq),
                badge=at.total,
                broadcasts_from=at.broadcasts_from,
                receipts=receipts[user],
                truth=await history.truth(tx, user),
            )
