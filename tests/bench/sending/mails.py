"""People, and e-mails that wait to be sent to them, as rows."""

from sqlalchemy import text

from db import Database

TEXT = "All 412 tests are green, in 3 minutes and 20 seconds. The log is kept for a week.\n\n"
BLOCK = 50_000  # rows a statement, which may take 30 s at most

PEOPLE = text("""
WITH made AS (
    INSERT INTO users (email, password_hash)
    SELECT :name || n || '@example.com', ''
    FROM generate_series(CAST(:start AS int), CAST(:stop AS int)) n RETURNING id
)
INSERT INTO inboxes (user_id) SELECT id FROM made
""")
IDS = text("SELECT id FROM users WHERE email LIKE :name || '%' ORDER BY id")

PERSONAL = text("""
WITH notes AS (
    INSERT INTO notifications (user_id, title, content, link, channels, status)
    SELECT (CAST(:people AS bigint[]))[1 + n % :count], 'Build ' || n || ' passed', repeat(:text, 8),
           'https://ci.example.com/builds/' || n, '{inbox,email}', 'pending'
    FROM generate_series(CAST(:start AS int), CAST(:stop AS int)) n
    RETURNING id, user_id
)
INSERT INTO deliveries (notification_id, user_id, lane, status) SELECT id, user_id, 1, 'pending' FROM notes
""")

BROADCAST = text("""
WITH clock AS (
    UPDATE broadcast_clock SET modseq = modseq + 1 RETURNING modseq
), note AS (
    INSERT INTO notifications (title, content, channels, status, modseq)
    SELECT 'Maintenance tonight', repeat(:text, 8), '{inbox,email}', 'pending', modseq FROM clock RETURNING id, modseq
)
INSERT INTO expansions (notification_id, broadcasts_below, last_user_id)
SELECT id, modseq, (SELECT max(id) FROM users) FROM note RETURNING notification_id
""")


async def people(db: Database, count: int, *, name: str = "person") -> list[int]:
    """Users with inboxes, called `name` and a number; their ids."""
    for start in range(0, count, BLOCK):
        async with db.statement() as tx:
            await tx.execute(PEOPLE, {"name": name, "start": start, "stop": min(start + BLOCK, count) - 1})
    async with db.statement() as tx:
        return list(await tx.scalars(IDS, {"name": name}))


async def personal(db: Database, people: list[int], count: int) -> None:
    """Queue e-mails, each of a notification of its own with a body of 700 characters."""
    for start in range(0, count, BLOCK):
        given = {"people": people, "count": len(people), "start": start, "stop": min(start + BLOCK, count) - 1}
        async with db.statement() as tx:
            await tx.execute(PERSONAL, {**given, "text": TEXT})


async def broadcast(db: Database) -> int:
    """A broadcast whose e-mails are still to be created."""
    async with db.statement() as tx:
        return int(await tx.scalar(BROADCAST, {"text": TEXT}))


async def forget(db: Database) -> None:
    """Forget all notifications and their e-mails."""
    async with db.statement() as tx:
        await tx.execute(text("TRUNCATE notifications CASCADE"))


async def tidied(db: Database) -> None:
    """Let PostgreSQL tidy up and write back what it was given, before something is measured."""
    async with db.statement() as tx:
        await tx.execute(text("SET statement_timeout = 0"))
        await tx.execute(text("VACUUM ANALYZE notifications, deliveries, users, inboxes, expansions"))
        await tx.execute(text("CHECKPOINT"))
        await tx.execute(text("RESET statement_timeout"))
