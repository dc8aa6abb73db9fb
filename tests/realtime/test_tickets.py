"""A ticket opens one stream, once, and nothing else."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import text

from belfry.accounts.tokens import fingerprint
from belfry.settings import Settings
from db import Database
from tests.people import PASSWORD, Person
from tests.processes import web
from tests.serving import Serving, serving

EXPIRE = text("UPDATE stream_tickets SET expires_at = now()")
KEPT = text("SELECT token_hash FROM stream_tickets")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, heartbeat_seconds=0.5, position_check_seconds=3_600.0)


async def ticket_of(person: Person) -> str:
    return str((await person.post("/v1/stream/tickets", 201))["ticket"])


async def poll(client: httpx.AsyncClient, ticket: str, path: str = "/v1/stream") -> httpx.Response:
    """Open a stream that says what there is, and ends."""
    return await client.get(path, params={"ticket": ticket, "poll": "1", "last_event_id": "0.0"})


@asynccontextmanager
async def bearer_of(ticket: str, url: str) -> AsyncIterator[Person]:
    """Somebody who has a ticket and nothing else."""
    async with httpx.AsyncClient(base_url=url, params={"ticket": ticket}, timeout=10) as client:
        yield Person(client, 0, "")


async def test_a_ticket_opens_one_stream_of_whoever_got_it(
    belfry: Serving, ada: Person, bob: Person, db: Database
) -> None:
    await ada.send("For Bob", to=bob.id)
    answer = await bob.client.post("/v1/stream/tickets")
    ticket = answer.json()["ticket"]
    async with db.statement() as tx:
        assert list(await tx.scalars(KEPT)) == [fingerprint(ticket)]
    async with belfry.anonymous() as client:
        first, second = [await poll(client, ticket) for _ in range(2)]

    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert answer.json() == {"ticket": ticket, "expires_in": 30}
    assert (first.status_code, "For Bob" in first.text) == (200, True)
    assert (second.status_code, second.json()["title"]) == (401, "Not logged in")


async def test_an_expired_ticket_opens_nothing(belfry: Serving, bob: Person, db: Database) -> None:
    ticket = await ticket_of(bob)
    async with db.begin() as tx:
        await tx.execute(EXPIRE)

    async with belfry.anonymous() as client:
        assert (await poll(client, ticket)).status_code == 401


async def test_a_ticket_wins_over_token_and_cookie(belfry: Serving, ada: Person, bob: Person) -> None:
    await ada.send("For Bob", to=bob.id)
    ticket = await ticket_of(bob)
    async with belfry.anonymous() as browser:
        await browser.post("/v1/auth/login", json={"email": ada.email, "password": PASSWORD})
        assert (await browser.get("/v1/me")).status_code == 200
        good = await poll(ada.client, ticket)
        bad = [await poll(client, each) for client in (ada.client, browser) for each in (ticket, "", "x")]

    assert (good.status_code, "For Bob" in good.text) == (200, True)
    assert [answer.status_code for answer in bad] == [401] * 6


async def test_a_ticket_is_good_for_nothing_but_a_stream(belfry: Serving, bob: Person) -> None:
    ticket = await ticket_of(bob)
    async with belfry.anonymous() as client:
        paths = ("/v1/me", "/v1/notifications", "/v1/stream/tickets", "/v1/presence")
        answers = [await poll(client, ticket, path) for path in paths]
        more = await client.post("/v1/stream/tickets", params={"ticket": ticket})
        assert (await poll(client, ticket)).status_code == 200

    assert [answer.status_code for answer in answers] == [401, 401, 405, 401]
    assert more.status_code == 401


async def test_a_browser_gets_a_ticket_on_our_own_pages_only(belfry: Serving, bob: Person) -> None:
    async with belfry.anonymous() as browser:
        await browser.post("/v1/auth/login", json={"email": bob.email, "password": PASSWORD})
        ours, foreign = [
            await browser.post("/v1/stream/tickets", headers={"sec-fetch-site": site})
            for site in ("same-origin", "cross-site")
        ]
        assert (await poll(browser, ours.json()["ticket"])).status_code == 200

    assert (ours.status_code, foreign.status_code) == (201, 403)


async def test_pages_of_any_site_may_read_a_stream_they_have_a_ticket_for_and_no_other(
    belfry: Serving, bob: Person
) -> None:
    by_ticket = await poll(bob.client, await ticket_of(bob))
    by_token = await bob.client.get("/v1/stream", params={"poll": "1"})

    allowed = [answer.headers.get("access-control-allow-origin") for answer in (by_ticket, by_token)]
    assert allowed == ["*", None]


async def test_of_twenty_at_once_in_two_processes_one_gets_the_stream(
    belfry: Serving, settings: Settings, bob: Person
) -> None:
    ticket = await ticket_of(bob)
    async with web(settings) as other, belfry.anonymous() as here, httpx.AsyncClient(base_url=other.url) as there:
        answers = await asyncio.gather(*(poll(client, ticket) for _ in range(10) for client in (here, there)))

        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19
        assert (await poll(there, await ticket_of(bob))).status_code == 200


async def test_its_stream_ends_when_the_login_it_came_from_does(belfry: Serving, ada: Person, bob: Person) -> None:
    unused = await ticket_of(bob)
    async with bearer_of(await ticket_of(bob), belfry.url) as page, page.stream() as events:
        await ada.send(to=bob.id)
        await events.next("notification")
        assert (await bob.client.post("/v1/auth/logout")).status_code == 204
        await asyncio.wait_for(events.ended.wait(), 5)

    async with belfry.anonymous() as client:
        assert (await poll(client, unused)).status_code == 401


async def test_its_stream_ends_with_the_token_it_was_asked_for_with(settings: Settings, db: Database) -> None:
    brief = msgspec.structs.replace(settings, access_token_seconds=2)
    async with (
        serving(brief) as belfry,
        belfry.person("bob@example.com") as bob,
        bearer_of(await ticket_of(bob), belfry.url) as page,
        page.stream() as events,
    ):
        await asyncio.wait_for(events.ended.wait(), 6)


async def test_no_ticket_is_logged(settings: Settings, belfry: Serving, bob: Person, tmp_path: Path) -> None:
    logged = tmp_path / "log"
    with logged.open("wb") as stderr:
        async with web(settings, stderr=stderr) as process:
            ticket = await ticket_of(bob)
            async with httpx.AsyncClient(base_url=process.url) as client:
                answers = [await poll(client, ticket) for _ in range(2)]
            await process.end(signal.SIGTERM)

    assert [answer.status_code for answer in answers] == [200, 401]
    assert b"listening for events" in logged.read_bytes()
    assert ticket.encode() not in logged.read_bytes()
