"""A Redis that refuses us is said at the start, once and plainly."""

import msgspec
import pytest
from redis.asyncio import Redis

from belfry.settings import Settings
from belfry.up import redis as embedded
from db import Database
from tests.processes import belfry_command

REFUSED = {
    "wrong": ("allkeys &* +@all", "WRONGPASS|invalid username-password"),
    "may nothing": ("allkeys &* +ping", "no permissions|NOPERM"),
    "may not queue": ("allkeys &* +@all -zadd", "'zadd'"),
    "may not listen": ("allkeys &* +@all -subscribe", "'subscribe'"),
    "no channel": ("allkeys resetchannels +@all", "channel"),
    "arq's keys are missing": ("~belfry:* &* +@all", "keys"),
}
EACH = [(case, "web") for case in REFUSED] + [("wrong", "worker"), ("may nothing", "worker")]


@pytest.mark.parametrize(("case", "command"), EACH)
async def test_a_wrong_password_or_a_missing_right_ends_the_start_with_the_reason(
    settings: Settings, db: Database, case: str, command: str
) -> None:
    rights, said = REFUSED[case]
    async with Redis.from_url(settings.redis_url) as redis:
        await redis.execute_command("ACL", "SETUSER", "belfry", "reset", "on", ">right", *rights.split())
        try:
            password = "wrong" if case == "wrong" else "right"
            refused = msgspec.structs.replace(settings, redis_url=_with_login(settings.redis_url, password))
            await _is_refused(refused, command, "BELFRY_REDIS_URL", said)
        finally:
            await redis.execute_command("ACL", "DELUSER", "belfry")


@pytest.mark.parametrize("name", ["redis_url", "stream_redis_url"])
async def test_a_missing_password_ends_the_start_with_the_setting_to_look_at(
    settings: Settings, db: Database, name: str
) -> None:
    async with embedded.running(say=lambda _: None) as locked, Redis.from_url(locked.url) as redis:
        await redis.config_set("requirepass", "right")
        refused = msgspec.structs.replace(settings, **{name: locked.url})
        await _is_refused(refused, "web", f"BELFRY_{name.upper()}", "NOAUTH|Authentication required")


async def _is_refused(settings: Settings, command: str, setting: str, said: str) -> None:
    stream_redis = {"BELFRY_STREAM_REDIS_URL": settings.stream_redis_url} if settings.stream_redis_url else {}
    code, _, errors = await belfry_command(settings, command, **stream_redis)
    assert code != 0
    assert errors.startswith(f"{setting}: Redis is there, but refuses us: "), errors
    assert any(word in errors for word in said.split("|")), errors
    assert "Traceback" not in errors


def _with_login(url: str, password: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://belfry:{password}@{rest}"
