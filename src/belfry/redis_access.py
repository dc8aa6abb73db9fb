"""Clients of Redis, and whether it lets us in: away it may be, but that it refuses us is better said at the start."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from belfry.settings import PREFIX, Settings, SettingsError

SECONDS = 2.0


def connect_redis(url: str, *, seconds: float) -> Redis:
    """Prepare a client that waits `seconds` at most to connect, and for each answer. It opens when it is used."""
    redis: Redis = Redis.from_url(url, socket_connect_timeout=seconds, socket_timeout=seconds)
    return redis


async def check_redis_access(settings: Settings) -> None:
    """Try what is needed of each Redis.

    Raises:
        SettingsError: the password is wrong, or the account may not do it; says which setting to look at.
    """
    places = {"REDIS_URL": settings.redis_url, "STREAM_REDIS_URL": settings.stream_redis_url}
    for name, url in places.items():
        if url and (refusal := await _refusal(url)) is not None:
            raise SettingsError(f"{PREFIX}{name}: Redis is there, but refuses us: {refusal}")


async def _refusal(url: str) -> str | None:
    redis = connect_redis(url, seconds=SECONDS)
    try:
        async with asyncio.timeout(SECONDS), redis:
            await redis.set("belfry:access", b"", ex=1)
            await redis.publish("belfry:access", b"")
    except (RedisError, OSError) as error:
        return str(error) if _is_refusal(error) else None
    return None


def _is_refusal(error: Exception) -> bool:
    """redis-py turns a refused password into a plain connection error, of which only Redis's own words tell."""
    known = isinstance(error, AuthenticationError | NoPermissionError)
    return known or any(word in str(error) for word in ("NOAUTH", "WRONGPASS", "NOPERM", "username-password"))
