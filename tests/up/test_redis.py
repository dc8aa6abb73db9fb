import os
import signal
import stat
from pathlib import Path
from urllib.parse import urlsplit

import redis.asyncio
from arq import create_pool
from arq.connections import RedisSettings

from belfry.up import redis as embedded
from tests.up.witness import Said, gone


def connected(url: str) -> "redis.asyncio.Redis":
    client: redis.asyncio.Redis = redis.asyncio.Redis.from_url(url)
    return client


async def test_redis_and_arq_both_take_its_url(said: Said) -> None:
    async with embedded.running(say=said) as server:
        async with connected(server.url) as client:
            assert await client.ping()
        queue = await create_pool(RedisSettings.from_dsn(server.url))
        assert await queue.ping()
        await queue.aclose()
    await gone(server.pid, within=1)


async def test_only_we_can_reach_it_and_nothing_is_left_of_it(said: Said) -> None:
    async with embedded.running(say=said) as server:
        directory = Path(urlsplit(server.url).path).parent
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        async with connected(server.url) as client:
            assert (await client.config_get("port"))["port"] == "0"
            await client.set("bell", "quarter")
    assert not directory.exists()


async def test_it_is_started_again_under_the_same_url_when_it_is_killed(said: Said) -> None:
    async with embedded.running(say=said) as server:
        os.kill(server.pid, signal.SIGKILL)
        await said.line("Redis runs again")
        async with connected(server.url) as client:
            assert await client.ping()


async def test_an_outage_lasts_until_it_is_ended(said: Said) -> None:
    async with embedded.running(say=said) as server:
        await server.stop()
        await gone(server.pid, within=1)
        await server.start()
        async with connected(server.url) as client:
            assert await client.ping()
    assert not any("again" in line for line in said.lines)
