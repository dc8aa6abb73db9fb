import asyncio

from sqlalchemy import text

from db import Database
from db.queries import expansions
from tasks.context import Context
from tasks.expand import expand
from tasks.send_due import send_due
from tasks.sweep import sweep
from tests.rows import broadcast, deliveries, users
from tests.smtp_sink import Sink


async def status(db: Database, notification_id: int) -> str:
    async with db.begin() as tx:
        return str(await tx.scalar(text("SELECT status FROM notifications WHERE id = :id"), {"id": notification_id}))


async def step(db: Database, notification_id: int, size: int) -> expansions.Progress | None:
    async with db.begin() as tx:
        return await expansions.expand(tx, notification_id, size=size)


async def test_everyone_gets_one_e_mail(context: Context, db: Database, sink: Sink) -> None:
    everyone = await users(db, 25)
    notification = await broadcast(db)

    await expand(context, notification)
    assert [row.user_id for row in await deliveries(db)] == everyone
    assert await status(db, notification) == "processing"

    await send_due(context)
    await sweep(context)
    assert await status(db, notification) == "sent"
    assert len({mail.recipient for mail in sink.mails}) == len(sink.mails) == 25
    assert {mail.message["List-Id"] for mail in sink.mails} == {"Belfry broadcasts <broadcasts.example.org>"}


async def test_it_goes_on_where_it_was_killed(context: Context, db: Database) -> None:
    everyone = await users(db, 10)
    notification = await broadcast(db)
    assert await step(db, notification, 4) == expansions.Progress(created=4, finished=False)
    try:
        async with db.begin() as tx:
            await expansions.expand(tx, notification, size=4)
            raise ConnectionAbortedError
    except ConnectionAbortedError:
        pass

    await sweep(context)  # reads what is unfinished, and rings for it
    await expand(context, notification)

    assert [row.user_id for row in await deliveries(db)] == everyone


async def test_two_workers_never_create_one_chunk_twice(db: Database) -> None:
    everyone = await users(db, 30)
    notification = await broadcast(db)

    async def work() -> None:
        while not (progress := await step(db, notification, 3)) or not progress.finished:
            async with db.statement() as tx:
                if notification not in await expansions.unfinished(tx):
                    return

    await asyncio.gather(*(work() for _ in range(4)))

    assert sorted(row.user_id for row in await deliveries(db)) == everyone


async def test_who_came_later_or_was_disabled_gets_none(db: Database) -> None:
    everyone = await users(db, 3)
    async with db.begin() as tx:
        await tx.execute(text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": everyone[0]})
        await tx.execute(text("UPDATE inboxes SET broadcasts_from = 1 WHERE user_id = :id"), {"id": everyone[1]})
    notification = await broadcast(db)
    async with db.begin() as tx:
        await tx.execute(text("INSERT INTO users (email, password_hash) VALUES ('late@example.com', '')"))
        await tx.execute(text("INSERT INTO inboxes (user_id) SELECT max(id) FROM users"))

    await step(db, notification, 100)

    assert [row.user_id for row in await deliveries(db)] == everyone[2:]


async def test_a_cancelled_broadcast_is_not_expanded_further(db: Database) -> None:
    await users(db, 10)
    notification = await broadcast(db)
    await step(db, notification, 4)
    async with db.begin() as tx:
        await tx.execute(text("UPDATE notifications SET status = 'cancelled'"))

    assert await step(db, notification, 4) == expansions.Progress(created=0, finished=True)
    assert len(await deliveries(db)) == 4


async def test_a_broadcast_nobody_could_be_sent_has_failed(context: Context, db: Database, sink: Sink) -> None:
    await users(db, 2)
    notification = await broadcast(db)
    sink.always("RCPT", "550 5.1.1 no such user")

    await expand(context, notification)
    await send_due(context)
    await sweep(context)

    assert await status(db, notification) == "failed"
