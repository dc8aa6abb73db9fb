"""Rows a test starts from, and reading back what became of them."""

import asyncio
from typing import Any

from sqlalchemy import Row, text

from db import Database

__all__ = [
    "attempts_of",
    "broadcast",
    "cut_off_who_waits_for_a_lock",
    "deliveries",
    "delivery",
    "email_to",
    "notification_status",
    "user",
    "users",
    "waits_for_a_lock",
]

USERS = text("""
WITH made AS (
    INSERT INTO users (email, password_hash)
    SELECT 'user' || n || '@example.com', '' FROM generate_series(1, :count) n RETURNING id
)
INSERT INTO inboxes (user_id) SELECT id FROM made RETURNING user_id
""")

EMAIL = text("""
WITH note AS (
    INSERT INTO notifications (user_id, sender_id, title, content, channels, status)
    VALUES (:user_id, :sender_id, :title, :content, '{inbox,email}', 'pending') RETURNING id
)
INSERT INTO deliveries (notification_id, user_id, lane, status)
SELECT id, :user_id, :lane, 'pending' FROM note RETURNING id
""")

BROADCAST = text("""
WITH clock AS (
    UPDATE broadcast_clock SET modseq = modseq + 1 RETURNING modseq
), note AS (
    INSERT INTO notifications (title, channels, status, modseq)
    SELECT :title, '{inbox,email}', 'pending', modseq FROM clock RETURNING id, modseq
)
INSERT INTO expansions (notification_id, broadcasts_below, last_user_id)
SELECT id, modseq, (SELECT max(id) FROM users) FROM note RETURNING notification_id
""")


async def _number(db: Database, statement: Any, **given: object) -> int:
    async with db.begin() as tx:
        return int(await tx.scalar(statement, given))


async def user(db: Database, email: str = "ada@example.com", display_name: str = "Ada") -> int:
    made = await _number(
        db,
        text("INSERT INTO users (email, password_hash, display_name) VALUES (:email, '', :name) RETURNING id"),
        email=email,
        name=display_name,
    )
    return await _number(db, text("INSERT INTO inboxes (user_id) VALUES (:id) RETURNING user_id"), id=made)


async def users(db: Database, count: int) -> list[int]:
    async with db.begin() as tx:
        return sorted(await tx.scalars(USERS, {"count": count}))


async def email_to(
    db: Database,
    user_id: int,
    *,
    title: str = "Build passed",
    content: str = "All green.",
    lane: int = 1,
    sender_id: int | None = None,
) -> int:
    return await _number(db, EMAIL, user_id=user_id, title=title, content=content, lane=lane, sender_id=sender_id)


async def broadcast(db: Database, title: str = "Maintenance tonight") -> int:
    return await _number(db, BROADCAST, title=title)


async def delivery(db: Database, delivery_id: int) -> Row[Any]:
    async with db.begin() as tx:
        found = await tx.execute(
            text("SELECT *, due_at > now() AS later FROM deliveries WHERE id = :id"), {"id": delivery_id}
        )
        return found.one()


async def deliveries(db: Database) -> list[Row[Any]]:
    async with db.begin() as tx:
        return list(await tx.execute(text("SELECT * FROM deliveries ORDER BY id")))


async def attempts_of(db: Database, delivery_id: int) -> list[Row[Any]]:
    async with db.begin() as tx:
        statement = text("SELECT * FROM delivery_attempts WHERE delivery_id = :id ORDER BY id")
        return list(await tx.execute(statement, {"id": delivery_id}))


async def notification_status(db: Database, delivery_id: int) -> str:
    async with db.begin() as tx:
        statement = text(
            "SELECT n.status FROM notifications n JOIN deliveries d ON d.notification_id = n.id WHERE d.id = :id"
        )
        return str(await tx.scalar(statement, {"id": delivery_id}))


async def waits_for_a_lock(db: Database, *, how_many: int = 1, within: float = 5) -> None:
    """Return when somebody, or several, wait for a lock in the database."""
    waiting = text("SELECT count(*) >= :how_many FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(within), db.statement() as tx:
        while not await tx.scalar(waiting, {"how_many": how_many}):  # noqa: ASYNC110  # PostgreSQL has no event for it
            await asyncio.sleep(0.01)


async def cut_off_who_waits_for_a_lock(db: Database) -> None:
    """End their connections, when there are any: what they wait to do is not done."""
    await waits_for_a_lock(db)
    async with db.statement() as tx:
        await tx.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
