"""Taking one's data along, and going."""

import asyncio
import json
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from belfry.accounts import leaving
from db import Database
from db.models import metadata
from db.queries import departures, exports
from tasks.context import Context
from tasks.expand import expand
from tasks.sweep import sweep
from tests.mailing import Mailboxes
from tests.people import PASSWORD, Person
from tests.rows import users
from tests.serving import Serving


async def fill(ada: Person, bob: Person) -> None:
    """Something of everything, of both and about both."""
    for n in range(5):
        await ada.send(f"To Bob {n}", to=bob.email)
        await bob.send(f"Note {n}", content="what Bob\nnoted")
    await ada.send("Ada's own")
    to_all = await ada.broadcast("To all")
    await ada.broadcast("By mail", channels=["inbox", "email"])
    await bob.post("/v1/api-keys", 201, name="Bob's CI", scopes=["read"])
    await bob.mark("read", ids=[to_all["id"]])


async def test_an_export_is_one_document_of_ones_own_things(
    ada: Person, bob: Person, mailboxes: Mailboxes, monkeypatch: pytest.MonkeyPatch, belfry: Serving
) -> None:
    monkeypatch.setattr(exports, "PAGE", 3)  # several pages of each
    await fill(ada, bob)
    async with belfry.anonymous() as client:
        await client.post("/v1/auth/password/forgot", json={"email": bob.email})
    token = await mailboxes.token(bob.email, "reset")
    answer = await bob.client.get("/v1/me/export")
    document = json.loads(answer.text)
    titles = {name: [each.get("title") for each in document[name]] for name in ("notifications", "broadcasts", "sent")}

    assert answer.headers["content-disposition"] == 'attachment; filename="belfry.json"'
    assert answer.headers["cache-control"] == "no-store"
    assert document["account"]["email"] == bob.email
    assert titles["notifications"] == [each for n in range(4, -1, -1) for each in (f"Note {n}", f"To Bob {n}")]
    assert titles["broadcasts"] == ["To all", "By mail"]
    assert titles["sent"] == [f"Note {n}" for n in range(5)]
    assert [each["read_at"] is not None for each in document["broadcasts"]] == [True, False]
    assert [each["name"] for each in document["api_keys"]] == ["Bob's CI"]
    assert {"reset", "To Bob 0", "Note 4"} <= {each["about"] for each in document["emails"]}
    assert [each["action"] for each in document["actions"]][-1] == "user.exported"
    assert "Ada's own" not in answer.text
    assert ada.email not in answer.text
    assert token not in answer.text
    assert "password" not in document["account"]


async def test_who_goes_takes_everything_along_and_leaves_what_others_were_sent(
    belfry: Serving, ada: Person, bob: Person, eve: Person, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departures, "BATCH", 2)
    await fill(ada, bob)
    await bob.post("/v1/me/delete", 422, password="not mine")
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(bob.stream()) for _ in range(2)]
        others = await stack.enter_async_context(ada.stream())
        gone = await bob.client.post("/v1/me/delete", json={"password": PASSWORD})
        await asyncio.wait_for(asyncio.gather(*(each.ended.wait() for each in streams)), 5)
        await ada.send("Still here")
        await others.next("notification")
        logins = await bob.client.post("/v1/auth/login", json={"email": bob.email, "password": PASSWORD})
        again = await bob.client.post("/v1/auth/register", json={"email": bob.email, "password": PASSWORD})
    async with db.statement() as tx:
        named = [
            (table.name, column.name)
            for table in metadata.sorted_tables
            for column in table.columns
            if any(key.column.table.name == "users" for key in column.foreign_keys)
            if await tx.scalar(text(f"SELECT count(*) FROM {table.name} WHERE {column.name} = :id"), {"id": bob.id})  # noqa: S608
        ]
        assert await tx.scalar(text("SELECT count(*) FROM users WHERE id = :id"), {"id": bob.id}) == 0
    [entry] = (await eve.get("/v1/audit", action="user.deleted"))["items"]
    await ada.post("/v1/me/delete", 204, password=PASSWORD)
    left = (await eve.inbox(type="broadcast"))["items"]

    assert gone.status_code == 204
    assert gone.headers["set-cookie"].startswith("belfry=")
    assert named == []
    assert (logins.status_code, again.status_code) == (401, 201)
    assert (entry["actor"], entry["actor_id"]) == (bob.email, None)
    assert [(each["title"], each["sender"]) for each in left] == [("By mail", None), ("To all", None)]


async def test_a_deletion_that_was_cut_short_is_finished_by_the_sweep_and_is_one_from_the_start(
    belfry: Serving, context: Context, ada: Person, bob: Person, eve: Person, db: Database
) -> None:
    await fill(ada, bob)
    async with db.begin() as tx:
        await departures.depart(tx, bob.id)
    async with belfry.anonymous() as client:
        login = await client.post("/v1/auth/login", json={"email": bob.email, "password": PASSWORD})
        forgot = await client.post("/v1/auth/password/forgot", json={"email": f"deleted {bob.id}"})
    found = await eve.get("/v1/users", q="deleted")
    await ada.post("/v1/notifications", 422, to=bob.id, title="Are you there?")
    async with db.statement() as tx:
        assert await departures.waiting(tx) == [bob.id]
    await asyncio.gather(sweep(context), leaving.remove(db, bob.id))

    assert (login.status_code, forgot.status_code, found["items"]) == (401, 422, [])
    async with db.statement() as tx:
        assert await departures.waiting(tx) == []
        assert await tx.scalar(text("SELECT count(*) FROM users WHERE id = :id"), {"id": bob.id}) == 0


async def test_who_goes_in_the_middle_of_the_own_broadcast_holds_nobody_up(
    belfry: Serving, context: Context, mailboxes: Mailboxes, ada: Person, eve: Person, db: Database
) -> None:
    """The chunks of e-mails are created, sent and settled while sender, items and mails of the sender are removed."""
    everyone = await users(db, 400)
    for n in range(3):
        await ada.broadcast(f"Maintenance {n}", channels=["inbox", "email"])
    async with db.statement() as tx:
        broadcasts = list(await tx.scalars(text("SELECT notification_id FROM expansions ORDER BY 1")))
    working = [asyncio.create_task(expand(context, each)) for each in broadcasts]
    sending = asyncio.create_task(mailboxes.new())
    gone = await ada.client.post("/v1/me/delete", json={"password": PASSWORD})
    await asyncio.gather(*working)
    await sending
    for each in broadcasts:  # a chunk that met the deletion is made again, as by the sweep
        await expand(context, each)
    await mailboxes.new()
    async with db.statement() as tx:
        rows = (await tx.execute(text("SELECT expanded, sent, ended, finished_at FROM expansions"))).all()
        assert await tx.scalar(text("SELECT count(*) FROM users WHERE id = :id"), {"id": ada.id}) == 0
        sent = await tx.scalar(text("SELECT count(*) FROM deliveries WHERE status = 'sent'"))

    assert gone.status_code == 204
    assert [tuple(row)[:3] for row in rows] == [(len(everyone) + 1,) * 3] * 3
    assert all(row.finished_at is not None for row in rows)
    assert sent == 3 * (len(everyone) + 1)
