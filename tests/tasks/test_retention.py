"""The window moves: what is older goes, from the database, the list, the badge and every open stream."""

import asyncio

from sqlalchemy import text

from belfry.accounts.tokens import fingerprint
from db import Database
from db.queries import retention
from db.queries.batches import BATCH
from tasks.context import Context
from tasks.expand import expand
from tasks.retention import retire
from tasks.send_due import send_due
from tasks.sweep import sweep
from tests.people import Person
from tests.rows import cut_off_who_waits_for_a_lock, waits_for_a_lock

AGE = text("UPDATE notifications SET visible_at = visible_at - interval '91 days' WHERE id = ANY(:ids)")


async def _age(db: Database, *ids: int) -> None:
    async with db.begin() as tx:
        await tx.execute(AGE, {"ids": list(ids)})


async def test_old_items_leave_the_list_the_badge_and_the_open_stream(
    ada: Person, bob: Person, db: Database, context: Context
) -> None:
    old, read, new = [await ada.send(title, to=bob.id, channels=["inbox"]) for title in ("old", "read", "new")]
    await bob.mark("read", ids=[read["id"]])
    await _age(db, old["id"], read["id"])

    async with bob.stream() as events:
        await retire(context)
        removed = await events.next("state")
        count = await events.next("count")

    assert removed.data["state"] == "deleted"
    assert sorted(removed.data["ids"]) == [old["id"], read["id"]]
    assert count.data == {"count": 1, "total": True}
    page = await bob.inbox()
    assert [item["id"] for item in page["items"]] == [new["id"]]
    assert page["unread"] == 1


async def test_a_position_from_before_the_removal_is_told_to_start_over(
    ada: Person, bob: Person, db: Database, context: Context
) -> None:
    old = await ada.send("old", to=bob.id, channels=["inbox"])
    async with bob.stream() as events:
        before = events.last_id
    await _age(db, old["id"])
    await retire(context)

    async with bob.stream(last_id=before) as events:
        reset = await events.next("reset")
    async with bob.stream(last_id=reset.id) as events:
        opened = await events.next("open")

    assert reset.data == {"reason": "position too old", "unread": 0}
    assert opened.data == {"resumed": True, "replayed": 0, "unread": 0}


async def test_an_old_broadcast_goes_for_everyone_and_lowers_the_badge_of_those_who_had_not_read_it(
    ada: Person, bob: Person, db: Database, context: Context
) -> None:
    old = await ada.broadcast("old")
    await ada.broadcast("new")
    await ada.mark("read", ids=[old["id"]])
    await _age(db, old["id"])

    async with bob.stream() as bobs, ada.stream() as adas:
        await retire(context)
        removed = await bobs.next("state")
        counts = [(await events.next("count")).data for events in (bobs, adas)]

    assert removed.data == {"state": "deleted", "ids": [old["id"]]}
    assert counts == [{"count": 1, "total": True}, {"count": 1, "total": True}]
    assert await bob.unread() == 1
    assert await ada.unread() == 1


async def test_while_a_broadcast_is_removed_in_pieces_every_badge_is_right_and_others_can_be_sent(
    ada: Person, bob: Person, eve: Person, db: Database, context: Context
) -> None:
    old = await ada.broadcast("old", channels=["inbox", "email"])
    await expand(context, old["id"])
    await send_due(context)
    await sweep(context)
    await ada.broadcast("new")
    for reader in (ada, bob):
        await reader.mark("read", ids=[old["id"]])
    await _age(db, old["id"])
    badges = []

    async with db.begin() as tx:
        assert await retention.withdraw_broadcast(tx, days=90) == (old["id"], 3)
    for after, reader in ((0, ada), (ada.id, bob)):
        async with db.begin() as tx:
            assert await retention.remove_receipts(tx, old["id"], after=after, limit=1) == reader.id
            await ada.broadcast("in between")  # is not kept waiting
        badges.append([await reader.unread() for reader in (ada, bob, eve)])

    assert badges == [[2, 2, 2], [3, 3, 3]]
    assert (await eve.client.get(f"/v1/broadcasts/{old['id']}")).status_code == 404
    await retire(context)
    assert [await reader.unread() for reader in (ada, bob, eve)] == [3, 3, 3]
    async with db.statement() as tx:
        for table in ("deliveries", "delivery_attempts", "broadcast_receipts", "expansions"):
            assert await tx.scalar(text(f"SELECT count(*) FROM {table}")) == 0  # noqa: S608


async def test_a_mark_that_crosses_the_removal_of_its_broadcast_comes_before_it_or_does_nothing(
    ada: Person, bob: Person, db: Database
) -> None:
    old = await ada.broadcast("old")
    await _age(db, old["id"])
    async with db.begin() as tx:
        await retention.withdraw_broadcast(tx, days=90)
        marking = asyncio.create_task(bob.mark("read", ids=[old["id"]]))
        await waits_for_a_lock(db)

    assert await marking == 0
    assert await bob.unread() == 0


async def test_the_records_of_old_mails_go_with_their_notifications(
    ada: Person, db: Database, context: Context
) -> None:
    sent = await ada.send("old")
    await send_due(context)
    await _age(db, sent["id"])

    await retire(context)

    async with db.statement() as tx:
        for table in ("notifications", "deliveries", "delivery_attempts"):
            assert await tx.scalar(text(f"SELECT count(*) FROM {table}")) == 0  # noqa: S608


async def test_mail_that_is_still_to_be_sent_keeps_its_notification(
    ada: Person, db: Database, context: Context
) -> None:
    sent = await ada.send("waiting for the mail server")
    await _age(db, sent["id"])

    await retire(context)

    assert (await ada.get(f"/v1/notifications/{sent['id']}"))["status"] == "pending"


async def test_tickets_that_nobody_used_are_forgotten_when_their_time_is_over(
    ada: Person, db: Database, context: Context
) -> None:
    await ada.post("/v1/stream/tickets", 201)
    async with db.begin() as tx:
        await tx.execute(text("UPDATE stream_tickets SET expires_at = now()"))
    kept = (await ada.post("/v1/stream/tickets", 201))["ticket"]

    await retire(context)

    async with db.statement() as tx:
        assert list(await tx.scalars(text("SELECT token_hash FROM stream_tickets"))) == [fingerprint(kept)]


async def test_what_cannot_be_removed_now_keeps_nothing_else_back(db: Database, context: Context) -> None:
    async with db.statement() as tx:
        await tx.execute(
            text("""
                INSERT INTO audit (at, actor, action, subject)
                SELECT now() - interval '2 years', '', 'login.failed', '' FROM generate_series(1, :count)
            """),
            {"count": 2 * BATCH + 1},
        )
    async with db.begin() as tx:
        await tx.execute(text("LOCK TABLE sessions"))
        retiring = asyncio.create_task(retire(context))
        await cut_off_who_waits_for_a_lock(db)
        await retiring

    async with db.statement() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM audit")) == 0
