"""Whom not to write to: from what a server said, from a person's wish, from an admin's hand."""

import asyncio
from typing import Any

import pytest

from db import Database
from db.models import Scope
from db.queries import suppressions
from db.queries.paging import Paging
from tasks.context import Context
from tasks.send_due import send_due
from tests.rows import attempts_of, delivery, email_to, notification_status, user
from tests.smtp_sink import Fault, Sink


async def listed(db: Database) -> list[tuple[str, str, str, str]]:
    async with db.statement() as tx:
        found = await suppressions.page(tx, Paging(size=100), address=None)
    return [(each.address, each.scope, each.reason, each.detail) for each in reversed(found)]


async def suppress(db: Database, address: str, scope: Scope = Scope.ALL) -> None:
    async with db.begin() as tx:
        assert await suppressions.add(tx, address=address, scope=scope, detail="") is not None


async def test_an_unknown_mailbox_is_written_to_once_and_never_again(
    context: Context, db: Database, sink: Sink
) -> None:
    sink.once("RCPT", "550 5.1.1 no such user")
    ada = await user(db, "Ada@example.com")
    first = await email_to(db, ada)
    other = await email_to(db, await user(db, "bob@example.com"))

    await send_due(context)
    second = await email_to(db, ada, lane=0)
    await send_due(context)

    row = await delivery(db, first)
    assert (row.status, row.reason, row.attempts) == ("failed", "550 5.1.1 no such user", 1)
    assert await listed(db) == [("Ada@example.com", "all", "bounced", "550 5.1.1 no such user")]
    row = await delivery(db, second)
    assert (row.status, row.reason) == ("suppressed", "there is no such mailbox: 550 5.1.1 no such user")
    assert await notification_status(db, second) == "suppressed"
    assert (await delivery(db, other)).status == "sent"
    assert [mail.recipient for mail in sink.mails] == ["bob@example.com"]
    assert sum(command.startswith("RCPT") for command in sink.commands) == 2


@pytest.mark.parametrize("place", ["RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("answer", ["550 no such user", "550 5.7.1 spam", "450 4.1.1 unknown", "550 5.1.10 no MX"])
async def test_any_other_refusal_is_about_this_mail_only(
    context: Context, db: Database, sink: Sink, place: str, answer: str
) -> None:
    sink.once(place, answer)
    ada = await user(db)
    await email_to(db, ada)
    await send_due(context)
    second = await email_to(db, ada)
    await send_due(context)

    assert await listed(db) == []
    assert (await delivery(db, second)).status == "sent"


async def test_an_address_bounces_only_where_it_was_said_of_it(context: Context, db: Database, sink: Sink) -> None:
    sink.once("DOT", "550 5.1.1 somebody else's mailing list")
    made = await email_to(db, await user(db))

    await send_due(context)

    assert (await delivery(db, made)).status == "failed"
    assert await listed(db) == []


@pytest.mark.parametrize(
    ("scope", "lane", "status"),
    [
        (Scope.ALL, 2, "suppressed"),
        (Scope.ALL, 1, "suppressed"),
        (Scope.ALL, 0, "suppressed"),
        (Scope.BROADCASTS, 2, "suppressed"),
        (Scope.BROADCASTS, 1, "sent"),
        (Scope.BROADCASTS, 0, "sent"),
    ],
)
async def test_a_suppression_is_of_all_mail_or_of_broadcasts(
    context: Context, db: Database, sink: Sink, scope: Scope, lane: int, status: str
) -> None:
    made = await email_to(db, await user(db, "ada@example.com"), lane=lane)
    await suppress(db, "ADA@Example.com", scope)

    await send_due(context)

    row = await delivery(db, made)
    assert row.status == status
    assert row.reason == (None if status == "sent" else "an administrator suppressed the address")
    assert len(sink.mails) == (status == "sent")


async def test_who_unsubscribes_between_accept_and_send_gets_nothing(
    context: Context, db: Database, sink: Sink
) -> None:
    ada = await user(db)
    broadcast, personal = await email_to(db, ada, lane=2), await email_to(db, ada)
    async with db.begin() as tx:
        assert await suppressions.unsubscribe(tx, ada, Scope.BROADCASTS) == "en"

    await send_due(context)

    row = await delivery(db, broadcast)
    assert (row.status, row.reason) == ("suppressed", "the recipient has unsubscribed")
    assert (await delivery(db, personal)).status == "sent"
    assert len(sink.mails) == 1


async def test_a_mail_stopped_at_the_last_moment_is_settled_without_waiting_for_its_lease(
    context: Context, db: Database, sink: Sink
) -> None:
    made = await email_to(db, await user(db), lane=2)
    sink.once("RCPT", Fault.WAIT)
    sending = asyncio.create_task(send_due(context))
    await sink.reached("RCPT")
    await suppress(db, "ada@example.com", Scope.BROADCASTS)
    sink.release()
    await sending
    row = await delivery(db, made)
    assert (row.status, row.attempts, row.later) == ("pending", 0, False)

    await send_due(context)

    row = await delivery(db, made)
    assert (row.status, row.reason) == ("suppressed", "an administrator suppressed the address")
    assert [attempt.outcome for attempt in await attempts_of(db, made)] == ["suppressed"]
    assert sink.mails == []


async def test_two_mails_to_one_unknown_mailbox_at_once_suppress_it_once(
    context: Context, db: Database, sink: Sink
) -> None:
    sink.always("RCPT", "550 5.1.1 no such user")
    ada = await user(db)
    made = [await email_to(db, ada) for _ in range(8)]

    await send_due(context)

    rows: list[Any] = [await delivery(db, each) for each in made]
    assert {row.status for row in rows} <= {"failed", "suppressed"}
    assert len(await listed(db)) == 1


async def test_a_lifted_suppression_lets_mail_through_again(context: Context, db: Database, sink: Sink) -> None:
    ada = await user(db)
    await suppress(db, "ada@example.com")
    async with db.begin() as tx:
        [found] = await suppressions.page(tx, Paging(), address="ADA@example.com")
        assert await suppressions.lift(tx, found.id)
        assert not await suppressions.lift(tx, found.id)
    made = await email_to(db, ada)

    await send_due(context)

    assert (await delivery(db, made)).status == "sent"
