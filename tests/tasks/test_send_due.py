import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from arq.connections import ArqRedis
from sqlalchemy import text

from belfry.mail.breaker import Breaker
from belfry.mail.errors import MailDelayed
from belfry.sending.bell import QUEUE, connect_queue
from belfry.settings import Settings
from db import Database
from db.queries.deliveries import Outcome, Result, claim
from tasks.context import Context, open_context
from tasks.send_due import judge, send_due
from tests.realtime.test_presence import becomes
from tests.rows import (
    attempts_of,
    cut_off_who_waits_for_a_lock,
    deliveries,
    delivery,
    email_to,
    notification_status,
    user,
    users,
)
from tests.smtp_sink import Fault, Sink, smtp_sink


async def make_due(db: Database) -> None:
    async with db.begin() as tx:
        await tx.execute(text("UPDATE deliveries SET due_at = now() WHERE status = 'pending'"))


async def test_what_is_due_is_sent_and_recorded(context: Context, db: Database, sink: Sink) -> None:
    made = await email_to(db, await user(db))

    await send_due(context)

    [mail] = sink.mails
    assert mail.recipient == "ada@example.com"
    assert mail.message["Subject"] == "Build passed"
    row = await delivery(db, made)
    assert (row.status, row.attempts, row.smtp_code) == ("sent", 1, 250)
    assert row.sent_at >= row.handed_over_at
    [attempt] = await attempts_of(db, made)
    assert (attempt.outcome, attempt.code, attempt.worker) == ("sent", 250, context.worker)
    assert await notification_status(db, made) == "sent"


async def test_a_mailbox_that_is_busy_is_tried_again_later(context: Context, db: Database, sink: Sink) -> None:
    sink.once("RCPT", "450 4.2.1 busy")
    made = await email_to(db, await user(db))
    fine = await email_to(db, await user(db, "bob@example.com"))

    await send_due(context)

    row = await delivery(db, made)
    assert (row.status, row.later, row.attempts, row.last_error) == ("pending", True, 1, "4.2.1 busy")
    [attempt] = await attempts_of(db, made)
    assert (attempt.outcome, attempt.code) == ("delayed", 450)
    assert await notification_status(db, made) == "pending"
    assert (await delivery(db, fine)).status == "sent"


async def test_an_unknown_mailbox_fails_at_once(context: Context, db: Database, sink: Sink) -> None:
    sink.once("RCPT", "550 5.1.1 no such user")
    made = await email_to(db, await user(db))

    await send_due(context)

    row = await delivery(db, made)
    assert (row.status, row.reason, row.smtp_code) == ("failed", "550 5.1.1 no such user", 550)
    assert await notification_status(db, made) == "failed"


async def test_a_connection_dropped_in_the_content_is_tried_again(context: Context, db: Database, sink: Sink) -> None:
    sink.once("BODY", Fault.DROP)
    made = await email_to(db, await user(db))

    await send_due(context)

    assert sink.mails == []
    assert (await delivery(db, made)).status == "pending"

    await make_due(db)
    await send_due(context)
    assert len(sink.mails) == 1
    row = await delivery(db, made)
    assert (row.status, row.attempts) == ("sent", 2)


async def test_a_server_that_is_closing_is_tried_again_later(context: Context, db: Database, sink: Sink) -> None:
    sink.once("MAIL", "421 4.3.2 closing")
    made = await email_to(db, await user(db))

    await send_due(context)

    row = await delivery(db, made)
    assert (row.status, row.attempts, row.smtp_code) == ("pending", 1, 421)


async def test_a_relay_that_is_not_there_burns_no_attempt(settings: Settings, db: Database) -> None:
    async with smtp_sink() as gone:
        settings = msgspec.structs.replace(settings, smtp_url=gone.url)
    made = [await email_to(db, recipient) for recipient in await users(db, 30)]

    async with open_context(settings) as context:
        await send_due(context)
        await send_due(context)  # the breaker is open: nothing is claimed
        assert not context.mailer.breaker.closed

    rows = [await delivery(db, one) for one in made]
    assert {(row.status, row.attempts, row.later) for row in rows} == {("pending", 0, False)}
    tried = [attempt for one in made for attempt in await attempts_of(db, one)]
    assert {attempt.outcome for attempt in tried} == {"relay down"}
    assert 1 <= len(tried) <= settings.smtp_connections


async def test_the_relay_is_probed_with_one_mail_and_then_all_go(context: Context, db: Database, sink: Sink) -> None:
    for recipient in await users(db, 30):
        await email_to(db, recipient)
    context.mailer.breaker = Breaker(first_pause=0, longest_pause=0)
    context.mailer.breaker.failed("before")
    sink.once("DOT", Fault.WAIT)

    sending = asyncio.create_task(send_due(context))
    await sink.reached("DOT")
    assert [row.status for row in await deliveries(db)].count("processing") == 1
    sink.release()
    await sending

    assert len(sink.mails) == 30


async def test_a_probe_that_fails_slowly_is_followed_by_another(
    settings: Settings, db: Database, sink: Sink, redis_url: str
) -> None:
    await email_to(db, await user(db))
    sink.once("CONNECT", Fault.HANG)
    settings = msgspec.structs.replace(settings, send_seconds=0.2)

    async with open_context(settings) as context, connect_queue(redis_url) as queue:
        context.mailer.breaker = Breaker(first_pause=0.05, longest_pause=0.05)
        context.mailer.breaker.failed("before")
        await asyncio.sleep(context.mailer.breaker.pause)
        await send_due(context)
        assert not context.mailer.breaker.closed
        await becomes(lambda: waiting(queue), True)


async def waiting(queue: ArqRedis) -> bool:
    return bool(await queue.zcard(QUEUE))


async def test_a_slow_server_keeps_what_it_has_begun_with_and_no_more(
    settings: Settings, db: Database, sink: Sink
) -> None:
    """What only waits for a connection goes back while its lease is good, so that nothing is ever sent twice for it."""
    settings = msgspec.structs.replace(settings, smtp_connections=1, lease_seconds=2, send_seconds=1.5)
    made = [await email_to(db, recipient) for recipient in await users(db, 3)]
    sink.once("DOT", Fault.WAIT)

    async with open_context(settings) as context:
        await send_due(context)
        rows = [await delivery(db, each) for each in made]
        assert sorted((row.status, row.attempts) for row in rows) == [("pending", 0), ("pending", 0), ("processing", 1)]
        sink.release()
        await send_due(context)

    assert len(sink.mails) == len({mail.message_id for mail in sink.mails}) == 3
    assert {(row.status, row.attempts) for row in await deliveries(db)} == {("sent", 1)}
    assert [attempt.outcome for each in made for attempt in await attempts_of(db, each)] == ["sent"] * 3


async def test_whatever_the_server_says_is_recorded(context: Context, db: Database, sink: Sink) -> None:
    sink.once("DOT", "250 2.0.0 t\0aken")
    made = await email_to(db, await user(db))

    async with asyncio.timeout(5):
        await send_due(context)

    [attempt] = await attempts_of(db, made)
    assert (attempt.outcome, attempt.text) == ("sent", "2.0.0 taken")


async def test_what_cannot_be_recorded_keeps_nothing_else_back(
    context: Context, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The driver refuses it, so each is recorded alone. A connection that ends meanwhile is no reason to lose one."""
    made = [await email_to(db, recipient) for recipient in await users(db, 3)]
    async with db.statement() as tx:
        letters = await claim(tx, limit=3, lease_seconds=60, worker="w")
    async with db.begin() as tx:
        await tx.execute(text("SELECT FROM deliveries WHERE id = :id FOR UPDATE"), {"id": made[0]})
        for letter, said in zip(letters, ("fine", "\0", "fine"), strict=True):
            context.ledger.record(outcome(Result.SENT, id=letter.id, lease_token=letter.lease_token, text=said))
        await cut_off_who_waits_for_a_lock(db)

    async with asyncio.timeout(5):
        await context.ledger.settled()

    assert [(await delivery(db, each)).status for each in made] == ["sent", "processing", "sent"]
    assert f"could not record the outcome of delivery {made[1]}" in caplog.text


def outcome(result: Result, **given: Any) -> Outcome:
    now, token = datetime.now(UTC), uuid4()
    whatever = Outcome(id=1, lease_token=token, result=result, worker="w", started_at=now, ended_at=now)
    return msgspec.structs.replace(whatever, **given)


def test_tries_are_spread_over_about_an_hour(settings: Settings) -> None:
    """Full jitter: any delay up to 5 s x 2.8^n is as likely as any other."""
    untried, busy = outcome(Result.UNTRIED), MailDelayed("busy", 450)
    longest = 0.0
    for attempt in range(1, settings.attempts):
        bound = 5 * 2.8 ** (attempt - 1)
        delays = [judge(untried, busy, attempt, settings).delay for _ in range(300)]
        assert min(delays) < bound * 0.1
        assert bound * 0.9 < max(delays) <= bound
        longest += bound

    assert settings.attempts == 8
    assert judge(untried, busy, 8, settings).result is Result.REFUSED
    assert 3_000 < longest < 4_200


async def test_a_lost_reply_leads_to_a_copy_that_can_be_recognised(context: Context, db: Database, sink: Sink) -> None:
    sink.once("DOT", Fault.DROP)
    made = await email_to(db, await user(db))

    await send_due(context)
    row = await delivery(db, made)
    assert (row.status, row.attempts) == ("pending", 1)
    await make_due(db)
    await send_due(context)

    first, second = sink.mails
    assert first.raw == second.raw
    assert (await delivery(db, made)).status == "sent"


async def test_a_lost_reply_can_be_left_to_people_instead(settings: Settings, db: Database, sink: Sink) -> None:
    sink.once("DOT", Fault.DROP)
    made = await email_to(db, await user(db))

    async with open_context(msgspec.structs.replace(settings, uncertain="hold")) as context:
        await send_due(context)

    assert len(sink.mails) == 1
    assert (await delivery(db, made)).status == "uncertain"
    assert await notification_status(db, made) == "uncertain"


async def test_a_reply_lost_in_the_last_try_is_not_called_a_failure(
    settings: Settings, db: Database, sink: Sink
) -> None:
    sink.once("DOT", Fault.DROP)
    made = await email_to(db, await user(db))

    async with open_context(msgspec.structs.replace(settings, attempts=1)) as context:
        await send_due(context)

    assert len(sink.mails) == 1
    assert (await delivery(db, made)).status == "uncertain"


async def test_tries_come_to_an_end(settings: Settings, db: Database, sink: Sink) -> None:
    sink.always("RCPT", "450 4.2.1 busy")
    made = await email_to(db, await user(db))

    async with open_context(msgspec.structs.replace(settings, attempts=3)) as context:
        for _ in range(4):
            await send_due(context)
            await make_due(db)

    row = await delivery(db, made)
    assert (row.status, row.attempts) == ("failed", 3)
    assert row.reason == "gave up after 3 tries; the last: 450 4.2.1 busy"
    assert [attempt.outcome for attempt in await attempts_of(db, made)] == ["delayed", "delayed", "refused"]


async def test_what_has_expired_is_not_sent(context: Context, db: Database, sink: Sink) -> None:
    made = await email_to(db, await user(db))
    async with db.begin() as tx:
        await tx.execute(text("UPDATE notifications SET expires_at = now()"))

    await send_due(context)

    assert sink.mails == []
    assert (await delivery(db, made)).status == "expired"
    assert await notification_status(db, made) == "expired"


async def test_one_bad_address_holds_up_no_other(context: Context, db: Database) -> None:
    bad = await email_to(db, await user(db, "not an address"))
    good = await email_to(db, await user(db))

    await send_due(context)

    assert (await delivery(db, bad)).status == "failed"
    assert (await delivery(db, good)).status == "sent"
