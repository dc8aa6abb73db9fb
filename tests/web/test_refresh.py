"""Staying logged in: refresh tokens rotate, and one used twice ends its login."""

import asyncio

import httpx
import msgspec
import pytest
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from tests.people import PASSWORD, Person
from tests.processes import web
from tests.serving import Serving, serving

NEXT_KEY = "fedcba9876543210fedcba9876543210"
AGE = text("UPDATE refresh_tokens SET used_at = used_at - make_interval(secs => :seconds) WHERE used_at IS NOT NULL")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, heartbeat_seconds=0.5, position_check_seconds=3_600.0)


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/v1/auth/refresh", json={"refresh_token": token}, headers={"authorization": ""})


async def age(db: Database, seconds: float) -> None:
    """Let tokens have been used longer ago."""
    async with db.statement() as tx:
        await tx.execute(AGE, {"seconds": seconds})


async def test_a_login_goes_on_by_refreshing_and_its_streams_do_not_notice(
    belfry: Serving, bob: Person, db: Database
) -> None:
    async with bob.stream() as events:
        seen = {bob.refresh_token}
        for _ in range(3):
            answer = await refresh(bob.client, bob.refresh_token)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-store"
            assert answer.json() | {"access_token": "", "refresh_token": ""} == {
                "access_token": "",
                "token_type": "Bearer",
                "expires_in": 900,
                "refresh_token": "",
            }
            bob.take(answer.json())
            seen.add(bob.refresh_token)
        await bob.send()
        await events.next("notification")
    async with db.statement() as tx:
        kept = list(await tx.scalars(text("SELECT token_hash FROM refresh_tokens")))

    assert len(seen) == 4
    assert all(len(hashed) == 32 and token.encode() not in hashed for hashed in kept for token in seen)
    assert len(await bob.get("/v1/sessions")) == 1


async def test_a_token_used_twice_ends_its_login_and_no_other(belfry: Serving, bob: Person, eve: Person) -> None:
    stolen = bob.refresh_token
    async with belfry.login(bob.email, bob.id) as other, bob.stream() as events, other.stream() as untouched:
        bob.take((await refresh(bob.client, stolen)).json())
        bob.take((await refresh(bob.client, bob.refresh_token)).json())
        thief = await refresh(other.client, stolen)
        await asyncio.wait_for(events.ended.wait(), 5)
        owner = await refresh(bob.client, bob.refresh_token)
        with_the_access_token = await bob.client.get("/v1/me")
        await other.send()
        await untouched.next("notification")
    [entry] = (await eve.get("/v1/audit", action="refresh.reused"))["items"]

    assert (thief.status_code, owner.status_code, with_the_access_token.status_code) == (401, 401, 401)
    assert "used before" in thief.json()["detail"]
    assert entry["subject"] == bob.email
    assert stolen not in str(entry)


@pytest.mark.parametrize(("seconds", "again"), [(0, 200), (9, 200), (11, 401)])
async def test_an_answer_that_was_lost_is_given_again_for_ten_seconds(
    belfry: Serving, bob: Person, db: Database, seconds: float, again: int
) -> None:
    used = bob.refresh_token
    first = await refresh(bob.client, used)
    await age(db, seconds)
    second = await refresh(bob.client, used)

    assert (first.status_code, second.status_code) == (200, again)
    if again == 200:
        assert second.json()["refresh_token"] == first.json()["refresh_token"]
    next_one = await refresh(bob.client, first.json()["refresh_token"])
    assert next_one.status_code == again


async def test_once_the_next_token_was_used_the_one_before_it_is_reused_however_soon(
    belfry: Serving, bob: Person
) -> None:
    used = bob.refresh_token
    second = await refresh(bob.client, used)
    third = await refresh(bob.client, second.json()["refresh_token"])

    assert [(await refresh(bob.client, used)).status_code] == [401]
    assert (await refresh(bob.client, third.json()["refresh_token"])).status_code == 401


async def test_twenty_at_once_in_two_processes_get_one_answer(
    belfry: Serving, settings: Settings, bob: Person, db: Database
) -> None:
    async with web(settings) as other, httpx.AsyncClient(base_url=other.url) as there:
        answers = await asyncio.gather(
            *(refresh(client, bob.refresh_token) for _ in range(10) for client in (bob.client, there))
        )
    async with db.statement() as tx:
        kept = await tx.scalar(text("SELECT count(*) FROM refresh_tokens"))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert kept == 2


async def test_a_login_that_ended_is_not_refreshed(belfry: Serving, bob: Person, ada: Person, db: Database) -> None:
    await bob.client.post("/v1/auth/logout")
    async with db.statement() as tx:
        await tx.execute(text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": ada.id})
    answers = [await refresh(bob.client, each) for each in (bob.refresh_token, ada.refresh_token, "blr_", "x" * 100)]

    assert [answer.status_code for answer in answers] == [401] * 4
    assert len({answer.text for answer in answers}) == 1


async def test_a_login_slides_while_it_is_used_and_ends_in_any_case(settings: Settings, db: Database) -> None:
    stale = text("UPDATE sessions SET created_at = now() - interval '9 days', expires_at = now() + interval '1 hour'")
    left = text("SELECT round(extract(epoch FROM expires_at - now()) / 86400) FROM sessions")
    brief = msgspec.structs.replace(settings, session_days=5, session_most_days=10)
    async with serving(brief) as belfry, belfry.person("bob@example.com") as bob:
        await refresh(bob.client, bob.refresh_token)
        async with db.statement() as tx:
            assert await tx.scalar(left) == 5
            await tx.execute(stale)
        bob.take(
            (await refresh(bob.client, (await refresh(bob.client, bob.refresh_token)).json()["refresh_token"])).json()
        )
        async with db.statement() as tx:
            assert await tx.scalar(left) == 1


async def test_a_new_secret_key_logs_nobody_out_while_the_old_one_is_named(settings: Settings, db: Database) -> None:
    new = msgspec.structs.replace(settings, secret_key=NEXT_KEY, secret_key_old=settings.secret_key)
    gone = msgspec.structs.replace(settings, secret_key=NEXT_KEY)
    async with serving(settings) as before, before.person("bob@example.com") as bob:
        lost = bob.refresh_token
        followed = (await refresh(bob.client, lost)).json()["refresh_token"]
        link = before.given.links.url(bob.id, "broadcasts")  # type: ignore[arg-type]
        async with serving(new) as after, after.bearer(bob.access_token, bob) as same:
            assert (await same.client.get("/v1/me")).status_code == 200
            assert (await refresh(same.client, lost)).json()["refresh_token"] == followed
            assert after.given.links.read(link.rpartition("/")[2]) is not None
            same.take((await refresh(same.client, followed)).json())
            signed_by_new = same.client.headers["authorization"]
            for service, token, status in (
                (before, signed_by_new, 401),
                (after, signed_by_new, 200),
                (after, bob.client.headers["authorization"], 200),
            ):
                async with service.anonymous() as client:
                    assert (await client.get("/v1/me", headers={"authorization": token})).status_code == status
        async with serving(gone) as later, later.anonymous() as client:
            old = bob.client.headers["authorization"]
            assert (await client.get("/v1/me", headers={"authorization": old})).status_code == 401
            assert (await client.get("/v1/me", headers={"authorization": signed_by_new})).status_code == 200
            again = await client.post("/v1/auth/login", json={"email": bob.email, "password": PASSWORD})
            assert again.status_code == 200
