"""Mails about accounts in the queue: before all others, to whom they are for, and their links nowhere else."""

import asyncio
import logging

import msgspec
import pytest
from sqlalchemy import text

from belfry.accounts.mails import AccountMails
from belfry.settings import Settings
from db import Database
from db.models import MailKind, Role, Scope
from db.queries import invitations, security_mails, suppressions
from tasks.context import Context, open_context
from tasks.retention import retire
from tasks.send_due import send_due
from tests.mailing import text_of
from tests.rows import deliveries, email_to, user
from tests.smtp_sink import Fault, Sink

ADA = "ada@example.com"
NEW = "ada@elsewhere.example"


async def write(
    db: Database, settings: Settings, kind: MailKind, user_id: int | None, email: str = ADA, language: str = "en"
) -> int:
    async with db.begin() as tx:
        return await AccountMails(settings).write(tx, kind, email=email, language=language, user_id=user_id)


async def test_they_overtake_everything_and_go_where_they_should(
    context: Context, db: Database, settings: Settings, sink: Sink
) -> None:
    ada = await user(db, ADA)
    for lane in (2, 1):
        await email_to(db, ada, lane=lane, title=f"lane {lane}")
    async with db.begin() as tx:  # her address bounced, and so she has another one
        await suppressions.add(tx, address=NEW, scope=Scope.BROADCASTS, detail="")
    await write(db, settings, MailKind.ADDRESS, ada, NEW)
    await write(db, settings, MailKind.RESET, ada)
    one_at_a_time = msgspec.structs.replace(settings, smtp_connections=1)
    async with open_context(one_at_a_time) as worker:
        await send_due(worker)

    assert [(mail.recipient, str(mail.message["Subject"])) for mail in sink.mails] == [
        (NEW, "Confirm your new e-mail address"),
        (ADA, "Choose a new password"),
        (ADA, "lane 1"),
        (ADA, "lane 2"),
    ]
    assert {row.status for row in await deliveries(db)} == {"sent"}


async def test_who_leaves_a_bounced_address_gets_the_link_at_the_new_one(
    context: Context, db: Database, settings: Settings, sink: Sink
) -> None:
    ada = await user(db, ADA)
    async with db.begin() as tx:
        await suppressions.add(tx, address=ADA.upper(), scope=Scope.ALL, detail="")
    await write(db, settings, MailKind.ADDRESS, ada, NEW)
    await write(db, settings, MailKind.RESET, ada)
    async with asyncio.timeout(10):
        await send_due(context)

    assert [mail.recipient for mail in sink.mails] == [NEW]
    assert [(row.status, row.attempts) for row in await deliveries(db)] == [("sent", 1), ("suppressed", 1)]


async def test_a_mail_that_is_tried_again_is_the_same_mail_and_its_link_is_in_no_log(
    context: Context,
    db: Database,
    settings: Settings,
    sink: Sink,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    sink.once("DOT", Fault.DROP)
    await write(db, settings, MailKind.RESET, await user(db, ADA))
    await send_due(context)
    async with db.begin() as tx:
        await tx.execute(text("UPDATE deliveries SET due_at = now()"))
    again = msgspec.structs.replace(
        settings, secret_key="fedcba9876543210fedcba9876543210", secret_key_old=settings.secret_key
    )
    async with open_context(again) as later:
        await send_due(later)
    first, second = sink.mails
    token = text_of(second.message).rpartition("/#/reset/")[2].split()[0]
    async with db.statement() as tx:
        kept = await tx.scalar(
            text("SELECT string_agg(concat(d, a, m), '') FROM deliveries d, delivery_attempts a, security_mails m")
        )

    assert first.raw == second.raw
    assert token.startswith("bll_")
    assert token not in caplog.text
    assert token not in kept


async def test_a_link_that_was_used_or_whose_time_is_over_is_not_sent_any_more(
    context: Context, db: Database, settings: Settings, sink: Sink
) -> None:
    ada = await user(db, ADA)
    old = await write(db, settings, MailKind.RESET, ada)
    async with db.begin() as tx:
        await tx.execute(text("UPDATE security_mails SET expires_at = now() WHERE id = :id"), {"id": old})
    await send_due(context)
    await write(db, settings, MailKind.RESET, ada)
    sink.once("RCPT", Fault.WAIT)  # and in the last moment
    sending = asyncio.create_task(send_due(context))
    await sink.reached("RCPT")
    async with db.begin() as tx:
        await security_mails.end(tx, ada, (MailKind.RESET,))
    sink.release()
    await sending
    await send_due(context)

    assert sink.mails == []
    assert [row.status for row in await deliveries(db)] == ["expired", "expired"]


async def test_what_was_never_accepted_is_forgotten_soon_and_what_was_sent_to_users_with_the_window(
    context: Context, db: Database, settings: Settings
) -> None:
    ada = await user(db, ADA)
    kept = await write(db, settings, MailKind.RESET, ada)
    notice = await write(db, settings, MailKind.PASSWORD_CHANGED, ada)
    pending = await write(db, settings, MailKind.REGISTER, None, "x@example.com")
    fresh = await write(db, settings, MailKind.INVITE, None, "y@example.com")
    ancient = await write(db, settings, MailKind.PASSWORD_CHANGED, ada)
    async with db.begin() as tx:
        for each in (pending, fresh):
            await invitations.pend(tx, each, role=Role.MEMBER)
        past = text("UPDATE security_mails SET expires_at = now() - interval '1 s' WHERE id = ANY(:ids)")
        await tx.execute(past, {"ids": [kept, pending]})
        years = text("UPDATE security_mails SET created_at = now() - interval '2 years' WHERE id = :id")
        await tx.execute(years, {"id": ancient})
    await retire(context)
    async with db.statement() as tx:
        left = list(await tx.scalars(text("SELECT id FROM security_mails ORDER BY id")))
        assert await tx.scalar(text("SELECT count(*) FROM pending_accounts")) == 1

    assert left == [kept, notice, fresh]
    assert len(await deliveries(db)) == 3
