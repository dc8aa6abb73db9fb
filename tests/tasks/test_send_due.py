from db import Database
from tasks.context import Context
from tasks.send_due import send_due
from tests.rows import attempts_of, delivery, email_to, notification_status, user
from tests.smtp_sink import Fault, Sink


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
