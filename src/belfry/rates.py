"""Limits that hold over all processes.

The generic cell rate algorithm (ITU-T I.371): one number a limit says when the next would be due if all kept the exact
rhythm. It is kept in Redis, by Redis's clock. While Redis is away or frozen, each process keeps the numbers itself.
"""

import asyncio
import math
from collections.abc import Sequence
from typing import NamedTuple

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

__all__ = ["Limit", "Rates", "Standing", "left", "quota"]

log = structlog.get_logger()

DEADLINE = 0.3
AWAY_SECONDS = 2.0  # after a failure Redis is left alone this long, so that a frozen one costs one request its wait
MOST_KEPT = 10_000  # limits kept by a process alone; past it, those whose time is over go

# Microseconds. All turns are taken, or none: one that is too far away is somebody else's. A cost of 0 only looks, and
# -1 gives a turn back.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost = tonumber(ARGV[1])
local due, waits, possible = {}, {}, true
for i, key in ipairs(KEYS) do
    local tolerance, longest = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
    due[i] = math.max(tonumber(redis.call('GET', key) or 0), now)
    waits[i] = math.max(due[i] - tolerance - now, 0)
    possible = possible and waits[i] <= longest
end
local answer = {}
for i, key in ipairs(KEYS) do
    if cost ~= 0 and possible then
        due[i] = due[i] + cost * tonumber(ARGV[3 * i - 1])
        redis.call('SET', key, string.format('%.0f', due[i]), 'PX', math.ceil(math.max(due[i] - now, 0) / 1000) + 1000)
    end
    answer[2 * i - 1] = string.format('%.0f', waits[i])
    answer[2 * i] = string.format('%.0f', math.max(due[i] - now, 0))
end
return answer
"""


class Limit(NamedTuple):
    """One in `interval` seconds, counted under `key`; one may be early by `tolerance`, and wait for `longest`."""

    key: str
    interval: float
    tolerance: float = 0.0
    longest: float = 0.0


class Standing(NamedTuple):
    """Where a limit stands: seconds until the turn comes, and until all turns taken have passed."""

    wait: float
    ahead: float


class Rates:
    """Takes turns. Every method answers within `DEADLINE` or so, whatever Redis does."""

    def __init__(self, redis: Redis) -> None:
        self._script = redis.register_script(TAKE)
        self._away_until = 0.0
        self._due: dict[str, float] = {}  # by the loop's clock

    async def take(self, limits: Sequence[Limit], *, alone: Sequence[Limit] | None = None) -> list[Standing]:
        """Take a turn of each limit, or of none if one is too far away. `alone`: the limits while Redis is away."""
        return await self._ask(1, limits, limits if alone is None else alone)

    async def look(self, limits: Sequence[Limit]) -> list[Standing]:
        """As `take`, and takes nothing."""
        return await self._ask(0, limits, limits)

    async def give_back(self, limits: Sequence[Limit]) -> None:
        """Undo a `take`: what it was for does not count."""
        await self._ask(-1, limits, limits)

    async def _ask(self, cost: int, limits: Sequence[Limit], alone: Sequence[Limit]) -> list[Standing]:
        loop = asyncio.get_running_loop()
        if loop.time() < self._away_until:
            return self._alone(cost, alone)
        numbers = [round(seconds * 1e6) for limit in limits for seconds in limit[1:]]
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await self._script(keys=[limit.key for limit in limits], args=[cost, *numbers])
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            log.warning("Redis does not keep our limits; each process does", error=type(error).__name__)
            self._away_until = loop.time() + AWAY_SECONDS
            return self._alone(cost, alone)
        seconds = [int(each) / 1e6 for each in answer]
        return [Standing(*pair) for pair in zip(seconds[::2], seconds[1::2], strict=True)]

    def _alone(self, cost: int, limits: Sequence[Limit]) -> list[Standing]:
        """As the script."""
        now = asyncio.get_running_loop().time()
        due = [max(self._due.get(limit.key, 0.0), now) for limit in limits]
        waits = [max(at - limit.tolerance - now, 0.0) for at, limit in zip(due, limits, strict=True)]
        if cost and all(wait <= limit.longest for wait, limit in zip(waits, limits, strict=True)):
            due = [at + cost * limit.interval for at, limit in zip(due, limits, strict=True)]
            self._due.update((limit.key, at) for at, limit in zip(due, limits, strict=True))
            if len(self._due) > MOST_KEPT:
                self._due = {key: at for key, at in self._due.items() if at > now}
        return [Standing(wait, max(at - now, 0.0)) for wait, at in zip(waits, due, strict=True)]


def quota(count: int, seconds: float, *, key: str) -> Limit:
    """`count` in so many seconds, all of them at once if they come so."""
    interval = seconds / count
    return Limit(key, interval, interval * (count - 1))


def left(limit: Limit, standing: Standing) -> int:
    """How many more would be let through at this moment."""
    return max(0, math.floor((limit.tolerance - standing.ahead) / limit.interval + 1e-6) + 1)
