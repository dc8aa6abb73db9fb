"""Streams of one address: so many, in all processes together."""

from contextlib import AsyncExitStack

import httpx
import msgspec
import pytest

from belfry.settings import Settings
from db import Database
from tests.people import Person
from tests.realtime.raw import eventually
from tests.realtime.test_presence import becomes
from tests.serving import Serving, serving

PLACE = "198.51.100.7"
ELSEWHERE = {"x-forwarded-for": PLACE}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, trusted_proxies="127.0.0.1")


async def polled(person: Person, **headers: str) -> httpx.Response:
    return await person.client.get("/v1/stream", params={"poll": "1"}, headers=headers)


async def test_an_address_has_so_many_streams_open(settings: Settings, db: Database) -> None:
    few = msgspec.structs.replace(settings, streams_per_address=1)
    async with serving(few) as belfry, belfry.person("bob@example.com") as bob, belfry.person("ada@example.com") as ada:
        bob.client.headers.update(ELSEWHERE)
        async with bob.stream():
            refused = await polled(ada, **ELSEWHERE)
            others = [await polled(ada, **{"x-forwarded-for": each}) for each in ("198.51.100.8", "::1", "::1")]
        await eventually(lambda: not belfry.given.live.hub.users)
        back = await polled(ada, **ELSEWHERE)

    assert refused.status_code == 429
    assert refused.headers["ratelimit-policy"] == '"streams-address";q=1'
    assert refused.headers["retry-after"] == "30"
    assert [answer.status_code for answer in (*others, back)] == [200] * 4


async def test_those_in_other_processes_count_too(settings: Settings, db: Database, ada: Person) -> None:
    few = msgspec.structs.replace(settings, streams_per_address=3)
    async with serving(few) as one, serving(few) as other, AsyncExitStack() as streams:
        here, there = ada.at(one.url), ada.at(other.url)
        for person in (here, here, there):
            await streams.enter_async_context(_from_there(person).stream())
        await knows(one, 1)
        await knows(other, 2)
        refused = [await polled(each) for each in (here, there)]
        await streams.aclose()
        await knows(one, 0)
        await knows(other, 0)
        back = [await polled(each) for each in (here, there)]

    assert [answer.status_code for answer in (*refused, *back)] == [429, 429, 200, 200]
    assert {answer.headers["ratelimit-policy"] for answer in refused} == {'"streams-address";q=3'}


async def knows(belfry: Serving, streams: int) -> None:
    """Return when a process knows of so many streams in others."""
    await becomes(lambda: belfry.given.addresses.elsewhere(PLACE), streams)


async def test_redis_is_told_only_of_addresses_with_many(settings: Settings, db: Database) -> None:
    settings = msgspec.structs.replace(settings, streams_per_address=80)  # more than two are many
    async with serving(settings) as belfry, belfry.person("bob@example.com") as bob, AsyncExitStack() as streams:
        presence, addresses = belfry.given.presence, belfry.given.addresses
        _from_there(bob)
        for _ in range(2):
            await streams.enter_async_context(bob.stream())
        await becomes(presence.streams, {bob.id: 2})
        few = await addresses.streams()
        async with bob.stream():
            await becomes(addresses.streams, {PLACE: 3})
        await becomes(addresses.streams, {})

    assert few == {}


def _from_there(person: Person) -> Person:
    person.client.headers.update(ELSEWHERE)
    return person
