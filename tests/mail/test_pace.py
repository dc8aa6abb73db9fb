"""So many mails a second, over all workers: what is counted is what the server saw so far, at each mail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from redis.asyncio import Redis

from belfry.mail.pace import BURST_SECONDS, NotNow, Pace
from belfry.settings import Settings
from belfry.up import redis as embedded
from belfry.up.redis import Redis as Server
from db import Database
from tasks.context import open_context
from tasks.send_due import send_due
from tests.rows import deliveries, delivery, email_to, user, users
from tests.smtp_sink import Sink
from tests.tasks.test_worker import working

CLOCKS = 0.02  # Redis and we measure with two


@asynccontextmanager
async def pace(url: str, rate: float, *, share: int = 1, longest: float = 60.0) -> AsyncIterator[Pace]:
    async with Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5) as redis:
        yield Pace(redis, server="mail.example.com:25", rate=rate, longest_wait=longest, share=lambda: share)


def assert_kept(since: float, times: list[float], rate: float, *, bursts: int = 1) -> None:
    """Nobody's turn came before it could. Later than that is always right: a machine may be busy."""
    for before, at in enumerate(sorted(times)):
        assert at - since >= before / rate - bursts * BURST_SECONDS - CLOCKS, (before, at - since)


def now() -> float:
    return asyncio.get_running_loop().time()


async def take(pace: Pace, count: int) -> list[float]:
    """When each of `count` who come at once gets its turn."""

    async def one() -> float:
        await pace.turn()
        return now()

    return await asyncio.gather(*(one() for _ in range(count)))


async def test_processes_share_one_limit(redis_url: str) -> None:
    async with pace(redis_url, 100) as one, pace(redis_url, 100) as other:
        since = now()
        times = await asyncio.gather(take(one, 40), take(other, 40))

    assert_kept(since, [*times[0], *times[1]], 100)


async def test_a_turn_too_far_away_is_left_to_others(redis_url: str) -> None:
    async with pace(redis_url, 1, longest=0.5) as patient:
        await patient.turn()
        with pytest.raises(NotNow):
            await patient.turn()

        assert 0 < patient.pause <= 1
        assert patient.appetite == 1


async def test_limits_below_one_a_second_let_the_first_through(redis_url: str) -> None:
    async with pace(redis_url, 0.01) as slow:
        await slow.turn()
        with pytest.raises(NotNow):
            await slow.turn()


@pytest.fixture
async def redis() -> AsyncIterator[Server]:
    """A Redis that may be hurt."""
    async with embedded.running(say=lambda _: None) as server:
        yield server


async def test_without_redis_each_keeps_to_its_share(redis: Server) -> None:
    async with pace(redis.url, 100, share=2) as one, pace(redis.url, 100, share=2) as other:
        await one.turn()
        await redis.stop()
        since = now()
        times = await asyncio.gather(take(one, 25), take(other, 25))
        await redis.start()

    for each in times:
        assert_kept(since, each, 50)
    assert_kept(since, [*times[0], *times[1]], 100, bursts=2)


async def test_a_redis_that_forgets_costs_one_burst(redis: Server) -> None:
    async with pace(redis.url, 50) as forgotten, Redis.from_url(redis.url) as client:
        since = now()
        times = await take(forgotten, 20)
        await client.flushall()
        times += await take(forgotten, 20)

    assert_kept(since, times, 50, bursts=2)


async def test_two_workers_keep_to_the_limit_at_the_mail_server(settings: Settings, db: Database, sink: Sink) -> None:
    rate = 40.0
    settings = msgspec.structs.replace(settings, smtp_rate=rate)
    for recipient in await users(db, 60):
        await email_to(db, recipient)

    since = now()
    async with working(settings), working(settings):
        await sink.received(60)

    assert_kept(since, [mail.at for mail in sink.mails], rate)
    assert {(row.status, row.attempts) for row in await deliveries(db)} == {("sent", 1)}


async def test_urgent_mail_waits_for_few_of_those_claimed_before_it(
    settings: Settings, db: Database, sink: Sink
) -> None:
    settings = msgspec.structs.replace(settings, smtp_rate=50, smtp_connections=4)
    for recipient in await users(db, 200):
        await email_to(db, recipient, lane=2)
    ada = await user(db)

    async with working(settings):
        await sink.received(5)
        await email_to(db, ada, lane=1)
        since = now()
        async with asyncio.timeout(5):
            while all(mail.recipient != "ada@example.com" for mail in sink.mails):
                await sink.received(len(sink.mails) + 1)

    waited = [mail for mail in sink.mails if mail.at > since and mail.recipient != "ada@example.com"]
    assert len(waited) <= 20


async def test_a_slow_limit_claims_no_more_than_it_can_send(settings: Settings, db: Database, sink: Sink) -> None:
    """What waits for its turn is held under no lease, and burns no attempt."""
    settings = msgspec.structs.replace(settings, smtp_rate=0.01)
    made = [await email_to(db, recipient) for recipient in await users(db, 5)]

    async with open_context(settings) as context:
        for _ in range(5):
            await send_due(context)
        await context.hand.empty()

    rows = [await delivery(db, each) for each in made]
    assert sorted(row.status for row in rows) == ["pending"] * 4 + ["sent"]
    assert {row.attempts for row in rows if row.status == "pending"} == {0}
    assert len(sink.mails) == 1
