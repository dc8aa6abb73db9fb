"""A Redis that refuses us is said at the start, once and plainly."""

import msgspec
import pytest
from redis.asyncio import Redis

from belfry.settings import Settings
from db import Database
from tests.processes import belfry_command


@pytest.mark.parametrize("command", ["web", "worker"])
@pytest.mark.parametrize(
    ("password", "said"), [("wrong", "WRONGPASS|invalid username-password"), ("right", "no permissions|NOPERM")]
)
async def test_a_wrong_password_or_a_missing_right_ends_the_start_with_the_reason(
    settings: Settings, db: Database, command: str, password: str, said: str
) -> None:
    async with Redis.from_url(settings.redis_url) as redis:
        await redis.execute_command("ACL", "SETUSER", "belfry", "on", ">right", "+ping", "allkeys")
        try:
            refused = msgspec.structs.replace(settings, redis_url=_with_login(settings.redis_url, password))
            code, _, errors = await belfry_command(refused, command)
        finally:
            await redis.execute_command("ACL", "DELUSER", "belfry")

    assert code != 0
    assert errors.startswith("BELFRY_REDIS_URL: Redis is there, but refuses us: ")
    assert any(word in errors for word in said.split("|")), errors
    assert "Traceback" not in errors


def _with_login(url: str, password: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://belfry:{password}@{rest}"
