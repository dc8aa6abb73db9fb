"""What is sent for later: nobody but its sender knows of it, and then it arrives, once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from db.queries import arrivals, inbox
from tasks.arrive import arrive
from tasks.context import Context, open_context
from tasks.expand import expand
from tasks.retention import retire
from tasks.send_due import send_due
from tasks.sweep import sweep
from tests.people import Person
from tests.rows import deliveries, users
from tests.serving import Serving
from tests.smtp_sink import Fault, Sink
from tests.tasks.test_worker import working

EVERYTHING = ["inbox", "email", "desktop"]


def later(**how: float) -> str:
    return (datetime.now(UTC) + timedelta(**how)).isoformat()


def moment(value: str) -> datetime:
    return datetime.fromisoformat(value)


async def make_due(db: Database) -> None:
    async with db.begin() as tx:
        await tx.execute(text("UPDATE notifications SET send_at = now() WHERE status = 'scheduled'"))


async def numbers(db: Database, user_id: int) -> tuple[int, int]:
    """The inbox's change number and its unread count."""
    async with db.statement() as tx:
        position = await inbox.position(tx, user_id)
    return position.modseq, position.unread


SCHEDULED = text("""
    INSERT INTO notifications (user_id, title, channels, status, send_at)
    SELECT u.id, 'Note ' || n, '{inbox}', 'scheduled', now() - n * interval '1 second'
    FROM users u, generate_series(1, :each) n ORDER BY random()
""")


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[Context]:
    """A second worker's context."""
    async with open_context(settings) as other:
        yield other


async def test_until_it_is_due_only_its_sender_knows_of_it(ada: Person, bob: Person, eve: Person, db: Database) -> None:
    at = later(hours=1)
    async with bob.stream() as events:
        sent = await ada.send("Later", to=bob.id, send_at=at, channels=EVERYTHING)
        [batched] = (await ada.post("/v1/notifications/batch", 202, title="Later", to=[bob.id], send_at=at))["ids"]
        broadcast = await ada.broadcast("Later", send_at=at, channels=EVERYTHING)
        await ada.send("Now", to=bob.id)
        assert (await events.next("notification")).data["title"] == "Now"
        assert "desktop" not in [event.name for event in events.seen]

    assert (sent["status"], sent["state"], moment(sent["send_at"])) == ("scheduled", "unread", moment(at))
    for id_ in (sent["id"], batched, broadcast["id"]):
        assert (await ada.get(f"/v1/notifications/{id_}"))["status"] == "scheduled"
        for person in (bob, eve):
            assert (await person.client.get(f"/v1/notifications/{id_}")).status_code == 404
            assert (await person.client.delete(f"/v1/notifications/{id_}")).status_code == 404
    assert [item["status"] for item in (await ada.get("/v1/notifications/sent"))["items"]] == [
        "pending",
        "scheduled",
        "scheduled",
    ]
    assert [item["title"] for item in (await bob.inbox())["items"]] == ["Now"]
    assert (await bob.unread(), await eve.unread(), await numbers(db, bob.id)) == (1, 0, (1, 1))
    assert await bob.mark("read", ids=[sent["id"], broadcast["id"]]) == 1
    assert [row.status for row in await deliveries(db)] == ["scheduled", "scheduled", "pending"]
    progress = await ada.get(f"/v1/broadcasts/{broadcast['id']}")
    assert (progress["status"], progress["total"], progress["remaining"]) == ("scheduled", 0, 0)


async def test_it_arrives_when_it_is_due_everywhere_at_once(
    settings: Settings, ada: Person, bob: Person, sink: Sink
) -> None:
    """Without waiting for a sweep: the ring was put off until then."""
    at = later(seconds=1.2)
    async with bob.stream() as events, working(msgspec.structs.replace(settings, sweep_seconds=60)):
        sent = await ada.send("Later", to=bob.id, send_at=at, expires_at=later(hours=1), channels=EVERYTHING)
        item = (await events.next("notification")).data
        came = datetime.now(UTC)
        alert = (await events.next("desktop")).data
        count = await events.next("count")
        await sink.received(1)

    assert timedelta(0) <= came - moment(at) < timedelta(seconds=2)
    assert item == sent | {"status": "pending", "created_at": item["updated_at"], "updated_at": item["updated_at"]}
    assert moment(item["updated_at"]) >= moment(at)
    assert (alert["notification_id"], alert["sent_at"]) == (item["id"], item["updated_at"])
    assert count.data == {"count": 1, "total": True}
    assert count.id == "1.0"
    [listed] = (await bob.inbox())["items"]
    changing = {"status": listed["status"], "updated_at": listed["updated_at"]}
    assert listed == item | changing == await bob.get(f"/v1/notifications/{item['id']}")
    assert (await bob.inbox())["items"] == [listed]  # from the cache


async def test_what_nobody_rang_for_arrives_with_the_sweep(
    context: Context, ada: Person, bob: Person, db: Database, sink: Sink
) -> None:
    sent = await ada.send("Later", to=bob.id, send_at=later(hours=1))
    await context.redis.flushdb()
    async with bob.stream() as events:
        await sweep(context)
        assert await bob.unread() == 0
        await make_due(db)
        await sweep(context)
        assert (await events.next("notification")).data["id"] == sent["id"]

    assert (await bob.unread(), await numbers(db, bob.id)) == (1, (1, 1))
    await send_due(context)
    [mail] = sink.mails
    assert mail.message["Subject"] == "Later"
    assert (await ada.get(f"/v1/notifications/{sent['id']}"))["status"] == "sent"


async def test_a_moment_that_has_passed_means_now(ada: Person) -> None:
    sent = await ada.send(send_at="2001-01-01T00:00:00-05:00")

    assert sent["status"] == "pending"
    assert not {"send_at", "expires_at"} & set(sent)
    assert await ada.unread() == 1


async def test_without_the_inbox_it_takes_no_number_and_alerts_all_the_same(
    context: Context, ada: Person, bob: Person, db: Database
) -> None:
    sent = await ada.send("Later", to=bob.id, send_at=later(hours=1), channels=["desktop"])
    await make_due(db)
    async with bob.stream() as events:
        await arrive(context)
        assert (await events.next("desktop")).data["notification_id"] == sent["id"]

    assert await numbers(db, bob.id) == (0, 0)
    assert (await bob.get(f"/v1/notifications/{sent['id']}"))["status"] == "none"


async def test_workers_at_once_let_each_arrive_once(
    context: Context, other: Context, db: Database, belfry: Serving, ada: Person
) -> None:
    everyone = [*await users(db, 40), ada.id]
    async with db.begin() as tx:
        await tx.execute(SCHEDULED, {"each": 25})
    async with ada.stream() as events:
        await asyncio.gather(*(arrive(each) for each in (context, other) * 3))
        await arrive(context)
        await events.until("25.0")
        titles = [event.data["title"] for event in events.seen if event.name == "notification"]

    assert sorted(titles) == sorted(f"Note {n}" for n in range(1, 26))
    for user_id in everyone:
        assert await numbers(db, user_id) == (25, 25)
    async with db.statement() as tx:
        rows = list(await tx.execute(text("SELECT user_id, modseq FROM notifications ORDER BY user_id, modseq")))
    assert [row.modseq for row in rows] == [*range(1, 26)] * len(everyone)


async def test_what_is_due_together_arrives_in_the_order_it_was_due(
    context: Context, ada: Person, db: Database
) -> None:
    async with db.begin() as tx:
        await tx.execute(SCHEDULED, {"each": 20})
    async with ada.stream() as events:
        await arrive(context)
        await events.until("20.0")
        streamed = [event.data["id"] for event in events.seen if event.name == "notification"]
    listed = (await ada.inbox(page_size=20))["items"]

    assert [item["title"] for item in listed] == [f"Note {n}" for n in range(1, 21)]
    assert [item["id"] for item in listed] == streamed[::-1]


async def test_an_inbox_that_is_locked_keeps_nobody_else_waiting(context: Context, db: Database) -> None:
    held, free = await users(db, 2)
    async with db.begin() as tx:
        await tx.execute(SCHEDULED, {"each": 3})
    async with db.begin() as tx:
        await inbox.lock(tx, held)
        await arrive(context)
        assert (await numbers(db, held), await numbers(db, free)) == ((0, 0), (3, 3))

    await arrive(context)
    assert await numbers(db, held) == (3, 3)


async def test_an_arrival_that_is_not_committed_never_was(context: Context, ada: Person, db: Database) -> None:
    await ada.send("Later", send_at=later(hours=1))
    await make_due(db)
    try:
        async with db.begin() as tx:
            assert len(await arrivals.personal(tx)) == 1
            raise ConnectionAbortedError
    except ConnectionAbortedError:
        pass
    assert (await ada.unread(), await numbers(db, ada.id)) == (0, (0, 0))

    await arrive(context)
    assert (await ada.unread(), [row.status for row in await deliveries(db)]) == (1, ["pending"])


async def test_a_scheduled_broadcast_is_for_whoever_is_there_when_it_arrives(
    belfry: Serving, context: Context, other: Context, ada: Person, bob: Person, db: Database, sink: Sink
) -> None:
    sent = await ada.broadcast("Later", send_at=later(hours=1), channels=EVERYTHING)
    await ada.broadcast("Before")
    async with belfry.person("new@example.com") as new, bob.stream() as events:
        await make_due(db)
        await asyncio.gather(arrive(context), arrive(other), arrive(context))
        item = (await events.next("notification")).data
        assert (item["id"], item["status"]) == (sent["id"], "pending")
        assert (await events.next("desktop")).data["notification_id"] == sent["id"]
        assert (await events.next("count")).id == "0.2"
        async with belfry.person("late@example.com") as late:
            assert [await person.unread() for person in (ada, bob, new, late)] == [2, 2, 1, 0]
            assert (await late.client.get(f"/v1/notifications/{sent['id']}")).status_code == 404
        assert [each["title"] for each in (await new.inbox())["items"]] == ["Later"]

    await expand(context, sent["id"])
    await send_due(context)
    assert {mail.recipient for mail in sink.mails} == {"ada@example.com", "bob@example.com", "new@example.com"}


async def test_an_e_mail_due_after_its_expiry_is_not_sent_and_says_why(
    context: Context, ada: Person, bob: Person, db: Database, sink: Sink
) -> None:
    await ada.send(to=bob.id, expires_at=later(hours=1))
    async with db.begin() as tx:
        await tx.execute(text("UPDATE notifications SET expires_at = now()"))
    await send_due(context)

    [row] = await deliveries(db)
    assert (row.status, row.reason) == ("expired", "it was not to be sent after `expires_at`, and was not sent by then")
    [item] = (await bob.inbox())["items"]
    assert (item["status"], sink.mails) == ("expired", [])


async def test_one_that_expires_while_the_server_is_slow_is_not_handed_over(
    context: Context, ada: Person, bob: Person, db: Database, sink: Sink
) -> None:
    sink.once("RCPT", Fault.WAIT)
    expires_at = datetime.now(UTC) + timedelta(seconds=1)
    await ada.send(to=bob.id, expires_at=expires_at.isoformat())
    sending = asyncio.create_task(send_due(context))
    await sink.reached("RCPT")
    await asyncio.sleep((expires_at - datetime.now(UTC)).total_seconds())  # it is this moment that matters
    sink.release()
    await sending
    await send_due(context)  # whoever takes it next finds out why

    [row] = await deliveries(db)
    assert (row.status, row.handed_over_at, row.lease_token, sink.mails) == ("expired", None, None, [])
    assert "expires_at" in row.reason


async def test_what_was_cancelled_before_it_arrived_is_kept_as_long_as_the_rest(
    context: Context, ada: Person, db: Database
) -> None:
    ids = [(await ada.send(send_at=later(hours=1)))["id"] for _ in range(2)]
    ids.append((await ada.broadcast(send_at=later(hours=1)))["id"])
    for id_ in ids:
        await ada.post(f"/v1/notifications/{id_}/cancel")
    waiting = (await ada.send(send_at=later(hours=1)))["id"]
    async with db.begin() as tx:
        old: dict[str, Any] = {"ids": [*ids[1:], waiting]}
        await tx.execute(
            text("UPDATE notifications SET updated_at = now() - interval '91 days' WHERE id = ANY(:ids)"), old
        )

    await retire(context)

    async with db.statement() as tx:
        assert list(await tx.scalars(text("SELECT id FROM notifications ORDER BY id"))) == [ids[0], waiting]
