"""API keys: scoped, shown once, kept as hashes, revoked at once; and acting as a user with one."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import event, text

from belfry.settings import Settings
from db import Database
from db.models import metadata
from tests.people import Person
from tests.serving import Serving, serving

EVERYTHING = ["read", "mark", "stream", "send", "broadcast", "alert", "act-as"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, heartbeat_seconds=0.5, position_check_seconds=3_600.0)


async def make(owner: Person, *scopes: str, **more: Any) -> Any:
    return await owner.post("/v1/api-keys", 201, name="CI", scopes=list(scopes), **more)


async def listed(owner: Person, key_id: int) -> Any:
    [found] = [each for each in await owner.get("/v1/api-keys") if each["id"] == key_id]
    return found


async def test_a_key_is_shown_once_and_acts_for_its_owner(
    belfry: Serving, ada: Person, bob: Person, eve: Person, db: Database
) -> None:
    made = await make(ada, "send", "read")
    async with belfry.bearer(made["key"], ada) as program:
        sent = await program.send(to=bob.email)
        assert (await program.get("/v1/notifications/sent"))["items"][0]["id"] == sent["id"]
        refused = await program.client.post("/v1/broadcasts", json={"title": "Hello"})
    async with db.statement() as tx:
        kept = [str(row) for table in metadata.sorted_tables for row in await tx.execute(table.select())]
    entries = (await eve.get("/v1/audit", action="key.created"))["items"]

    assert made["key"].startswith("blf_")
    assert len(made["key"]) == len("blf_") + 43
    assert sent["sender"]["id"] == ada.id
    assert refused.status_code == 403
    assert "the scope broadcast" in refused.json()["detail"]
    assert "key" not in await listed(ada, made["id"])
    assert not any(made["key"] in row for row in kept)
    assert [(each["actor_id"], each["subject"]) for each in entries] == [(ada.id, f"API key {made['id']}")]


async def became(db: Database, person: Person, role: str) -> None:
    async with db.statement() as tx:
        await tx.execute(text("UPDATE users SET role = :role WHERE id = :id"), {"id": person.id, "role": role})


async def test_a_key_never_exceeds_its_owners_role(
    belfry: Serving, ada: Person, bob: Person, eve: Person, db: Database
) -> None:
    await bob.post("/v1/api-keys", 422, name="CI", scopes=["read", "broadcast"])
    await ada.post("/v1/api-keys", 422, name="CI", scopes=["read", "act-as"])
    made = await make(eve, *EVERYTHING)
    async with belfry.bearer(made["key"], eve) as program:
        acting = await program.post(f"/v1/users/{bob.id}/token", 201)
        await became(db, eve, "sender")
        await program.broadcast()
        await program.post(f"/v1/users/{bob.id}/token", 403)
        async with belfry.bearer(acting["access_token"], bob) as page:
            assert (await page.client.get("/v1/me")).status_code == 401
        await became(db, eve, "member")
        await program.post("/v1/broadcasts", 403, title="Hello")
        await program.post("/v1/notifications", 403, title="Hello", to=bob.id)
        await program.send()


async def test_of_a_broadcast_only_who_may_send_one_disposes(belfry: Serving, ada: Person, db: Database) -> None:
    mine = await ada.send()
    sent = await ada.post("/v1/broadcasts", 202, title="Hello", channels=["email"])
    sending = (await make(ada, "send", "read"))["key"]
    async with belfry.bearer(sending, ada) as program:
        refused = [await program.client.post(f"/v1/notifications/{sent['id']}/{how}") for how in ("cancel", "retry")]
        assert (await program.client.get(f"/v1/notifications/{sent['id']}/trace")).status_code == 200
        assert (await program.client.post(f"/v1/notifications/{mine['id']}/cancel")).status_code == 200
    await became(db, ada, "member")
    refused += [await ada.client.post(f"/v1/notifications/{sent['id']}/{how}") for how in ("cancel", "retry")]
    refused += [await ada.client.get(f"/v1/notifications/{sent['id']}/trace")]

    assert [answer.status_code for answer in refused] == [403] * 5
    assert "the scope broadcast" in refused[0].json()["detail"]
    assert (await ada.client.get(f"/v1/notifications/{mine['id']}/trace")).status_code == 200


async def test_a_revoked_key_is_dead_at_once_and_so_are_its_streams_and_what_it_issued(
    belfry: Serving, ada: Person, bob: Person, eve: Person
) -> None:
    made, other = await make(eve, "stream", "act-as"), await make(ada, "stream")
    async with belfry.bearer(made["key"], eve) as program, belfry.bearer(other["key"], ada) as another:
        acting = await program.post(f"/v1/users/{bob.id}/token", 201)
        async with (
            belfry.bearer(acting["access_token"], bob) as page,
            program.stream() as one,
            page.stream() as two,
            another.stream() as untouched,
        ):
            strangers = await bob.client.delete(f"/v1/api-keys/{made['id']}")
            owners = await eve.client.delete(f"/v1/api-keys/{made['id']}")
            await asyncio.wait_for(asyncio.gather(one.ended.wait(), two.ended.wait()), 5)
            await ada.send()
            await untouched.next("notification")
            after = [await each.client.get("/v1/stream") for each in (program, page)]
    entries = (await eve.get("/v1/audit", action="key.revoked"))["items"]

    assert (strangers.status_code, owners.status_code) == (404, 204)
    assert [answer.status_code for answer in after] == [401, 401]
    assert [each["id"] for each in await ada.get("/v1/api-keys")] == [other["id"]]
    assert [(each["subject"], each["detail"]) for each in entries] == [(f"API key {made['id']}", {"name": "CI"})]


async def test_a_key_is_no_cookie_and_a_cookie_no_key(belfry: Serving, bob: Person) -> None:
    made = await make(bob, "read")
    async with belfry.anonymous() as client:
        answers = [
            await client.get("/v1/me", headers={"cookie": f"belfry={made['key']}"}),
            await client.get("/v1/me", headers={"authorization": f"Bearer {made['key']}x"}),
            await client.get("/v1/me", headers={"authorization": "Bearer blf_"}),
            await client.post("/v1/auth/refresh", json={"refresh_token": made["key"]}),
            await client.get("/v1/me", headers={"authorization": f"Bearer {bob.refresh_token}"}),
        ]

    assert [answer.status_code for answer in answers] == [401] * 5


async def test_a_key_ends_when_it_was_made_to_and_its_streams_with_it(belfry: Serving, bob: Person) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=2)
    made = await make(bob, "stream", "read", expires_at=ends.isoformat())
    async with belfry.bearer(made["key"], bob) as program, program.stream() as events:
        await asyncio.wait_for(events.ended.wait(), 6)
        assert (await program.client.get("/v1/me")).status_code == 401

    assert datetime.fromisoformat(made["expires_at"]) == ends
    assert await bob.get("/v1/api-keys") == []


async def test_a_key_is_good_from_its_networks_only(belfry: Serving, bob: Person) -> None:
    here = await make(bob, "read", networks=["::1", "127.0.0.0/8"])
    elsewhere = await make(bob, "read", networks=["192.0.2.0/24", "2001:db8::/32"])
    async with belfry.bearer(here["key"], bob) as near, belfry.bearer(elsewhere["key"], bob) as far:
        answers = [await each.client.get("/v1/me") for each in (near, far)]

    assert here["networks"] == ["::1/128", "127.0.0.0/8"]
    assert [answer.status_code for answer in answers] == [200, 403]
    assert answers[1].json()["detail"] == "This API key may not be used from 127.0.0.1."


async def test_the_last_use_is_told_and_written_once_a_minute_and_to_the_audit_once_a_day(
    belfry: Serving, bob: Person, eve: Person, db: Database
) -> None:
    made = await make(bob, "read")
    unused = (await listed(bob, made["id"]))["last_used_at"]
    writes: list[str] = []

    def note(_1: Any, _2: Any, statement: str, *_: Any) -> None:
        writes.extend([statement] if "UPDATE sessions" in statement else [])

    event.listen(belfry.given.db.config.get_engine().sync_engine, "before_cursor_execute", note)
    async with belfry.bearer(made["key"], bob) as program:
        await asyncio.gather(*(program.get("/v1/me") for _ in range(20)))
        first = (await listed(bob, made["id"]))["last_used_at"]
        await asyncio.gather(*(program.get("/v1/me") for _ in range(20)))
        async with db.statement() as tx:
            await tx.execute(text("UPDATE sessions SET last_seen_at = now() - interval '61 seconds'"))
        await program.get("/v1/me")
        second = (await listed(bob, made["id"]))["last_used_at"]
        today = (await eve.get("/v1/audit", action="key.used"))["items"]
        async with db.statement() as tx:
            await tx.execute(text("UPDATE sessions SET last_seen_at = now() - interval '1 day'"))
        await program.get("/v1/me")
    told = (await eve.get("/v1/audit", action="key.used"))["items"]

    assert unused is None
    assert first < second
    assert len(writes) == 3
    assert len(told) - len(today) == 1
    assert {(each["actor_id"], each["subject"], each["detail"]["name"]) for each in told} == {
        (bob.id, f"API key {made['id']}", "CI")
    }


async def test_many_requests_with_many_credentials_share_statements(belfry: Serving, ada: Person, bob: Person) -> None:
    made = [await make(owner, "read") for owner in (ada, bob) for _ in range(3)]
    statements: list[str] = []

    def note(_1: Any, _2: Any, statement: str, *_: Any) -> None:
        statements.extend([statement] if "FROM sessions s JOIN users u" in statement else [])

    event.listen(belfry.given.db.config.get_engine().sync_engine, "before_cursor_execute", note)
    async with httpx.AsyncClient(base_url=belfry.url) as client:
        tokens = [each["key"] for each in made] + [person.access_token for person in (ada, bob)]
        answers = await asyncio.gather(
            *(client.get("/v1/me", headers={"authorization": f"Bearer {each}"}) for each in tokens * 8)
        )

    assert [answer.json()["id"] for answer in answers] == ([ada.id] * 3 + [bob.id] * 3 + [ada.id, bob.id]) * 8
    assert len(statements) < len(answers) / 2


async def test_somebody_has_a_hundred_keys_at_most(bob: Person, db: Database) -> None:
    made = await make(bob, "read")
    many = text("""
        WITH s AS (
            INSERT INTO sessions (user_id, scopes, expires_at)
            SELECT user_id, scopes, expires_at FROM sessions, generate_series(1, 98) WHERE id = :id RETURNING id
        )
        INSERT INTO api_keys (session_id, name, networks) SELECT id, 'CI', '{}' FROM s
    """)
    async with db.statement() as tx:
        await tx.execute(many, {"id": made["id"]})
    answers = await asyncio.gather(
        *(bob.client.post("/v1/api-keys", json={"name": "CI", "scopes": ["read"]}) for _ in range(3))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_a_key_of_a_disabled_owner_is_dead_and_so_is_what_it_issued(settings: Settings, db: Database) -> None:
    looking = msgspec.structs.replace(settings, position_check_seconds=0.3)
    async with (
        serving(looking) as belfry,
        belfry.person("ada@example.com", role="admin") as ada,
        belfry.person("bob@example.com") as bob,
    ):
        made = await make(ada, "stream", "act-as")
        async with belfry.bearer(made["key"], ada) as program:
            acting = await program.post(f"/v1/users/{bob.id}/token", 201)
            async with (
                belfry.bearer(acting["access_token"], bob) as page,
                program.stream() as one,
                page.stream() as two,
                bob.stream() as untouched,
            ):
                async with db.statement() as tx:
                    await tx.execute(text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": ada.id})
                await asyncio.wait_for(asyncio.gather(one.ended.wait(), two.ended.wait()), 5)
                assert [(await each.client.get("/v1/stream")).status_code for each in (program, page)] == [401, 401]
                await bob.send()
                await untouched.next("notification")


# Acting as somebody


async def test_a_site_shows_a_users_inbox_and_can_do_nothing_else_with_it(
    belfry: Serving, ada: Person, bob: Person, eve: Person
) -> None:
    made = await make(eve, "act-as")
    sent = await ada.send(to=bob.id)
    async with belfry.bearer(made["key"], eve) as program:
        acting = await program.post(f"/v1/users/{bob.email.upper()}/token", 201)
        assert (await program.client.get("/v1/notifications")).status_code == 403
    async with belfry.bearer(acting["access_token"], bob) as page, page.stream() as events:
        assert [each["id"] for each in (await page.inbox())["items"]] == [sent["id"]]
        assert await page.mark("read", ids=[sent["id"]]) == 0
        await events.next("state")
        ticket = await page.post("/v1/stream/tickets", 201)
        polled = await page.client.get("/v1/stream", params={"ticket": ticket["ticket"], "poll": "1"})
        refused = [
            await page.client.post("/v1/notifications", json={"title": "x"}),
            await page.client.patch("/v1/me", json={"display_name": "x"}),
            await page.client.get("/v1/sessions"),
            await page.client.get("/v1/api-keys"),
            await page.client.post("/v1/auth/logout"),
            await page.client.post(f"/v1/users/{bob.id}/token"),
        ]
    [entry] = (await eve.get("/v1/audit", action="user.acted_as"))["items"]

    assert acting | {"access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "expires_in": 900,
        "user_id": bob.id,
    }
    assert polled.status_code == 200
    assert [answer.status_code for answer in refused] == [403] * 6
    assert (entry["actor_id"], entry["subject"], entry["detail"]["key"]) == (eve.id, bob.email, made["id"])
    assert [each["current"] for each in await bob.get("/v1/sessions")] == [True]


async def test_nobody_acts_as_an_admin_nor_as_who_becomes_one(
    belfry: Serving, ada: Person, bob: Person, eve: Person, db: Database
) -> None:
    made = await make(eve, *EVERYTHING)
    async with belfry.bearer(made["key"], eve) as program:
        await program.post(f"/v1/users/{eve.id}/token", 403)
        acting = await program.post(f"/v1/users/{bob.id}/token", 201)
        for unknown in ("999999", "nobody@example.com", "0", "9" * 30, "9" * 5_000, "x" * 300, "%00"):
            await program.post(f"/v1/users/{unknown}/token", 404)
    await ada.post(f"/v1/users/{bob.id}/token", 403)
    await eve.post(f"/v1/users/{bob.id}/token", 403)
    async with belfry.bearer(acting["access_token"], bob) as page:
        assert (await page.client.get("/v1/me")).status_code == 200
        async with db.statement() as tx:
            await tx.execute(text("UPDATE users SET role = 'admin' WHERE id = :id"), {"id": bob.id})
        assert (await page.client.get("/v1/me")).status_code == 401
