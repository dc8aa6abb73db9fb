"""Clients of Redis, and whether it lets us in: away it may be, but that it refuses us is better said at the start."""

import asyncio
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from belfry.settings import PREFIX, Settings, SettingsError

SECONDS = 2.0
REFUSALS = ("NOAUTH", "WRONGPASS", "NOPERM", "username-password", "Authentication required")


def connect_redis(url: str, *, seconds: float) -> Redis:
    """Prepare a client that waits `seconds` at most to connect, and for each answer. It opens when it is used."""
    redis: Redis = Redis.from_url(url, socket_connect_timeout=seconds, socket_timeout=seconds)
    return redis


async def check_redis_access(settings: Settings) -> None:
    """Try what is needed of each Redis.

    Raises:
        SettingsError: the password is wrong, or the account may not do it; says which setting to look at.
    """
    events = "STREAM_REDIS_URL" if settings.stream_redis_url else "REDIS_URL"
    for name, url, tried in (("REDIS_URL", settings.redis_url, _queue), (events, settings.pubsub_url, _events)):
        if (refusal := await _refusal(url, tried)) is not None:
            raise SettingsError(f"{PREFIX}{name}: Redis is there, but refuses us: {refusal}")


async def _queue(redis: Redis) -> None:
    """What the queue, the cache and presence need, on keys such as theirs."""
    for key in ("belfry:access", "arq:access"):
        await redis.delete(key)
        async with redis.pipeline(transaction=True) as together:
            together.zadd(key, {"": 0})
            together.expire(key, 1)
            await together.execute()
    await redis.set("belfry:access:text", b"", ex=1)
    await redis.scan(count=1)


async def _events(redis: Redis) -> None:
    await redis.publish("belfry:access", b"")
    async with redis.pubsub() as listening:
        await listening.subscribe("belfry:access")
        await listening.get_message(timeout=SECONDS)


async def _refusal(url: str, tried: Callable[[Redis], Awaitable[None]]) -> str | None:
    redis = connect_redis(url, seconds=SECONDS)
    try:
        async with asyncio.timeout(SECONDS), redis:
            await tried(redis)
    except (RedisError, OSError) as error:
        return str(error) if _is_refusal(error) else None
    return None


def _is_refusal(error: Exception) -> bool:
    """redis-py turns a refused or missing password into a plain connection error: only Redis's own words tell."""
    known = isinstance(error, AuthenticationError | NoPermissionError)
    return known or any(words in str(error) for words in REFUSALS)
