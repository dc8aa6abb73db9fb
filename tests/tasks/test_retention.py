"""The window moves: what is older goes, from the database, the list, the badge and every open stream."""

from sqlalchemy import text

from belfry.accounts.tokens import fingerprint
from db import Database
from tasks.context import Context
from tasks.retention import retire
from tests.people import Person

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
