"""Taking back what was sent: whatever a worker is doing at that moment, it ends as sent or as cancelled, not both."""

import asyncio
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from db.queries import control, deliveries, expansions
from tasks.arrive import arrive
from tasks.context import Context
from tasks.expand import expand
from tasks.send_due import send_due
from tasks.sweep import sweep
from tests.people import Person
from tests.rows import deliveries as all_deliveries
from tests.rows import delivery, users
from tests.serving import Serving
from tests.smtp_sink import Fault, Sink
from tests.tasks.test_arrive import later, make_due, numbers
from tests.tasks.test_worker import working

MAILED = ["inbox", "email"]


async def cancel(person: Person, sent: Any, expect: int = 200) -> Any:
    return await person.post(f"/v1/notifications/{sent['id']}/cancel", expect)


def received(sink: Sink) -> list[int]:
    """The ids of the deliveries the server took."""
    found = [re.match(r"<delivery\.(\d+)\.", mail.message_id) for mail in sink.mails]
    return sorted(int(each[1]) for each in found if each)


async def by_status(db: Database) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for row in await all_deliveries(db):
        found.setdefault(row.status, set()).add(row.id)
    return found


async def test_what_is_scheduled_never_arrives(context: Context, ada: Person, bob: Person, db: Database) -> None:
    personal = await ada.send("Later", to=bob.id, send_at=later(hours=1))
    broadcast = await ada.broadcast("Later", send_at=later(hours=1), channels=MAILED)
    answers = [await cancel(ada, sent) for sent in (personal, broadcast)]
    await make_due(db)
    await arrive(context)

    assert [answer["status"] for answer in answers] == ["cancelled", "cancelled"]
    assert (await bob.unread(), await numbers(db, bob.id)) == (0, (0, 0))
    assert (await bob.client.get(f"/v1/notifications/{personal['id']}")).status_code == 404
    assert await ada.get(f"/v1/notifications/{personal['id']}") == answers[0]
    [row] = await all_deliveries(db)
    assert (row.status, row.reason) == ("cancelled", "cancelled by the sender")
    for sent in (personal, broadcast):
        assert "`cancelled`" in (await cancel(ada, sent, 409))["detail"]


async def test_an_e_mail_that_waits_is_never_claimed_and_the_item_stays(
    context: Context, ada: Person, bob: Person, eve: Person, db: Database, sink: Sink
) -> None:
    sent = await ada.send(to=bob.id)
    assert (await bob.inbox())["items"][0]["status"] == "pending"
    await cancel(eve, sent)
    await send_due(context)

    [item] = (await bob.inbox())["items"]
    assert (item["id"], item["status"], await bob.unread(), sink.mails) == (sent["id"], "cancelled", 1, [])
    [row] = await all_deliveries(db)
    assert (row.status, row.reason, row.attempts) == ("cancelled", "cancelled by an admin", 0)


async def test_a_worker_about_to_hand_over_finds_its_lease_gone(
    context: Context, ada: Person, bob: Person, db: Database, sink: Sink
) -> None:
    sink.once("RCPT", Fault.WAIT)
    sent = await ada.send(to=bob.id)
    sending = asyncio.create_task(send_due(context))
    await sink.reached("RCPT")
    assert (await cancel(ada, sent))["status"] == "cancelled"
    sink.release()
    await sending

    assert sink.mails == []
    [row] = await all_deliveries(db)
    assert (row.status, row.handed_over_at, row.lease_token) == ("cancelled", None, None)
    assert (await ada.get(f"/v1/notifications/{sent['id']}"))["status"] == "cancelled"


async def test_what_is_handed_over_can_no_longer_be_cancelled(
    context: Context, ada: Person, bob: Person, sink: Sink
) -> None:
    sink.once("DOT", Fault.WAIT)
    sent = await ada.send(to=bob.id)
    sending = asyncio.create_task(send_due(context))
    await sink.reached("DOT")
    assert "`processing`" in (await cancel(ada, sent, 409))["detail"]
    sink.release()
    await sending

    assert "`sent`" in (await cancel(ada, sent, 409))["detail"]
    assert len(sink.mails) == 1


async def test_without_an_e_mail_there_is_nothing_to_cancel(ada: Person, bob: Person) -> None:
    sent = [await ada.send(to=bob.id, channels=["inbox"]), await ada.broadcast()]

    for each in sent:
        assert "`none`" in (await cancel(ada, each, 409))["detail"]
    assert await bob.unread() == 2


async def test_only_the_sender_and_admins_may(belfry: Serving, ada: Person, bob: Person, eve: Person) -> None:
    sent = await ada.send(to=bob.id)
    async with belfry.person("cyd@example.com", role="sender") as cyd:
        for stranger in (bob, cyd):
            for what in ("cancel", "retry"):
                await stranger.post(f"/v1/notifications/{sent['id']}/{what}", 404)
    assert (await ada.get(f"/v1/notifications/{sent['id']}"))["status"] == "pending"
    await eve.post(f"/v1/notifications/{sent['id']}/retry", 409)
    await cancel(eve, sent)


async def test_cancels_that_race_with_workers_end_in_one_clear_state(
    settings: Settings, ada: Person, db: Database, sink: Sink
) -> None:
    """Half of many e-mails are cancelled while two workers send them, and some while they arrive."""
    everyone = await users(db, 300)
    soon = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()
    now = await ada.post("/v1/notifications/batch", 202, title="Hello", to=everyone[:200])
    then = await ada.post("/v1/notifications/batch", 202, title="Hello", to=everyone[200:], send_at=soon)
    chosen = random.Random(7).sample([*now["ids"], *then["ids"]], 150)
    answers: dict[int, int] = {}

    async def take_back(id_: int) -> None:
        answers[id_] = (await ada.client.post(f"/v1/notifications/{id_}/cancel")).status_code

    async with working(settings), working(settings):
        await sink.reached("CONNECT")
        for start in range(0, len(chosen), 10):
            await asyncio.gather(*(take_back(id_) for id_ in chosen[start : start + 10]))
        cancelled = {id_ for id_, status in answers.items() if status == 200}
        await sink.received(300 - len(cancelled))

    assert set(answers.values()) == {200, 409}  # both happened, or nothing raced
    found = await by_status(db)
    assert set(found) == {"sent", "cancelled"}
    assert received(sink) == sorted(found["sent"])
    rows = await all_deliveries(db)
    assert {row.notification_id for row in rows if row.status == "cancelled"} == cancelled
    async with db.statement() as tx:
        differing = text("""
            SELECT count(*) FROM deliveries d JOIN notifications n ON n.id = d.notification_id
            WHERE n.status <> d.status
        """)
        assert await tx.scalar(differing) == 0


async def test_a_broadcast_is_stopped_in_the_middle_of_its_expansion(
    context: Context, ada: Person, db: Database, sink: Sink
) -> None:
    await users(db, 20)
    sent = await ada.broadcast(channels=MAILED)
    async with db.begin() as tx:
        await expansions.expand(tx, sent["id"], size=8)
    await send_due(context)
    async with db.begin() as tx:
        await expansions.expand(tx, sent["id"], size=8)
    assert (await cancel(ada, sent))["status"] == "cancelled"
    await expand(context, sent["id"])
    await send_due(context)
    await sweep(context)

    found = await by_status(db)
    assert {status: len(ids) for status, ids in found.items()} == {"sent": 8, "cancelled": 8}
    assert received(sink) == sorted(found["sent"])
    progress = await ada.get(f"/v1/broadcasts/{sent['id']}")
    assert (progress["status"], progress["sent"], progress["remaining"]) == ("cancelled", 8, 0)
    assert "`cancelled`" in (await cancel(ada, sent, 409))["detail"]
    assert await ada.unread() == 1


async def test_many_e_mails_of_a_broadcast_are_cancelled_in_batches_and_none_is_sent_meanwhile(
    context: Context, ada: Person, db: Database, sink: Sink
) -> None:
    everyone = control.BATCH + 250
    await users(db, everyone - 1)
    sent = await ada.broadcast(channels=MAILED)
    await expand(context, sent["id"])
    await cancel(ada, sent)
    assert {status: len(ids) for status, ids in (await by_status(db)).items()} == {
        "cancelled": control.BATCH,
        "pending": 250,
    }
    await send_due(context)  # claims a hundred of the others, and sees that they are cancelled
    assert sink.mails == []
    await context.redis.flushdb()
    async with db.statement() as tx:
        assert await expansions.unfinished(tx) == [sent["id"]]  # so the sweep will ring
    await expand(context, sent["id"])

    rows = await all_deliveries(db)
    assert {row.status for row in rows} == {"cancelled"}
    assert {row.reason for row in rows} == {"cancelled by the sender", "the broadcast was cancelled"}
    async with db.statement() as tx:
        assert await expansions.unfinished(tx) == []


async def test_a_claim_that_overlaps_with_the_cancel_of_its_broadcast_cannot_hand_over(
    context: Context, ada: Person, db: Database
) -> None:
    sent = await ada.broadcast(channels=MAILED)
    await expand(context, sent["id"])
    async with db.begin() as claiming:
        [letter] = await deliveries.claim(claiming, limit=10, lease_seconds=60, worker="w")
        await cancel(ada, sent)  # passes over the row that is being claimed
    assert (letter.unwanted, (await delivery(db, letter.id)).status) == (None, "processing")
    async with db.statement() as tx:
        assert await deliveries.hand_over(tx, [(letter.id, letter.lease_token)], seconds=30) == set()
    await expand(context, sent["id"])

    assert (await delivery(db, letter.id)).status == "cancelled"


async def test_a_broadcast_cancelled_while_workers_send_it_ends_in_one_clear_state(
    settings: Settings, ada: Person, db: Database, sink: Sink
) -> None:
    await users(db, 599)
    sent = await ada.broadcast(channels=MAILED)
    async with working(settings), working(settings):
        await sink.received(50)
        assert (await cancel(ada, sent))["status"] == "cancelled"
        async with asyncio.timeout(20):
            while {"pending", "processing"} & set(await by_status(db)):  # noqa: ASYNC110  # rows have no event
                await asyncio.sleep(0.05)

    found = await by_status(db)
    assert set(found) == {"sent", "cancelled"}
    assert received(sink) == sorted(found["sent"])
    assert sum(map(len, found.values())) <= 600
    assert (await ada.get(f"/v1/broadcasts/{sent['id']}"))["status"] == "cancelled"
