"""Guesses at an account's password do not keep its owner out."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest

from belfry.settings import Settings
from tests.mailing import Mailboxes
from tests.people import PASSWORD, Person
from tests.serving import Serving

NEW = "a longer and a better one"
AT_ONCE = 4


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, trusted_proxies="127.0.0.1")


@pytest.fixture
def redis_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts the guesses; that the attack holds us up is no reason to count them anew without it."""
    monkeypatch.setattr("belfry.rates.DEADLINE", 10.0)
    monkeypatch.setattr("belfry.realtime.presence.DEADLINE", 10.0)


async def post(client: httpx.AsyncClient, path: str, address: str, **body: str) -> httpx.Response:
    return await client.post(f"/v1/auth/{path}", json=body, headers={"x-forwarded-for": address})


async def log_in(client: httpx.AsyncClient, email: str, password: str, address: str = "192.0.2.3") -> httpx.Response:
    return await post(client, "login", address, email=email, password=password)


@asynccontextmanager
async def attack(belfry: Serving, email: str, addresses: int) -> AsyncIterator[None]:
    """Somebody who has so many addresses tries passwords without a pause, and asks for links to use up those turns."""
    stop, cycle = asyncio.Event(), itertools.cycle([f"203.0.113.{n}" for n in range(addresses)])

    async def fire() -> None:
        async with belfry.anonymous() as client:
            while not stop.is_set():
                address = next(cycle)
                await log_in(client, email, "not the password", address)
                await post(client, "password/forgot", address, email=email)

    attackers = [asyncio.create_task(fire()) for _ in range(AT_ONCE)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*attackers)


async def locked_out(client: httpx.AsyncClient, email: str) -> None:
    """Come with the right password until the account's turns are used up."""
    while (await log_in(client, email, PASSWORD)).status_code == 200:
        client.cookies.clear()


@pytest.mark.usefixtures("turns_stay_used", "redis_is_waited_for")
async def test_from_whatever_many_places_a_link_by_mail_lets_the_owner_in(
    belfry: Serving, mailboxes: Mailboxes, bob: Person
) -> None:
    async with attack(belfry, bob.email, addresses=200), belfry.anonymous() as new:
        await locked_out(new, bob.email)
        began = time.monotonic()
        asked = await post(new, "password/forgot", "192.0.2.3", email=bob.email)
        *_, token = await mailboxes.tokens(bob.email, "reset")
        chosen = await post(new, "password/reset", "192.0.2.3", token=token, password=NEW)
        on_the_browser_of_the_link = [(await log_in(new, bob.email, NEW)).status_code for _ in range(3)]
        took = time.monotonic() - began
        async with belfry.anonymous() as another:
            elsewhere = await log_in(another, bob.email, NEW, "192.0.2.4")

    assert asked.status_code in (202, 429)  # others had all of them sent: then they are in the mailbox
    assert chosen.status_code == 204
    assert on_the_browser_of_the_link == [200, 200, 200]
    assert elsewhere.status_code == 429, "the password alone does not"
    assert took < 60


@pytest.mark.slow
async def test_from_one_place_the_password_does(belfry: Serving, bob: Person) -> None:
    async with belfry.anonymous() as known, belfry.anonymous() as new:
        assert (await log_in(known, bob.email, PASSWORD)).status_code == 200
        async with attack(belfry, bob.email, addresses=1):
            await locked_out(new, bob.email)
            on_a_known_browser = [(await log_in(known, bob.email, PASSWORD)).status_code for _ in range(3)]
            began = time.monotonic()
            while (answer := await log_in(new, bob.email, PASSWORD)).status_code == 429:  # noqa: ASYNC110  # as told
                await asyncio.sleep(int(answer.headers["retry-after"]))
            took = time.monotonic() - began

    assert on_a_known_browser == [200, 200, 200]
    assert answer.status_code == 200
    assert took < 30
