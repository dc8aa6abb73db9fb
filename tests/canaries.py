"""Secrets that are marked, and a place full of them: web, worker, PostgreSQL, Redis and a mail server."""

import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from redis.asyncio import Redis
from sqlalchemy.engine import make_url

from belfry.settings import Settings
from belfry.up import redis as embedded
from tests.processes import Web, Worker, belfry_command
from tests.realtime.raw import eventually
from tests.smtp_sink import smtp_sink

__all__ = ["Canaries", "Scene", "staged"]


class Canaries:
    """Makes secrets, and knows them all."""

    def __init__(self) -> None:
        self._made: dict[str, str] = {}

    def new(self, what: str) -> str:
        return self.known(what, f"canary-{secrets.token_hex(8)}")

    def known(self, what: str, secret: str) -> str:
        self._made[secret] = what
        return secret

    def in_(self, output: str) -> set[str]:
        """What of them an output shows, also as URLs and headers write it."""
        return {
            what
            for secret, what in self._made.items()
            if any(
                form in output for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode())
            )
        }


class Scene(msgspec.Struct, kw_only=True):
    settings: Settings
    redis: Redis
    web: Web
    worker: Worker
    log: Path
    said: list[str] = []
    """What commands printed."""

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    async def logs(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a line."""
        await eventually(lambda: any(map(fits, self.events())), within=20)
        return next(filter(fits, self.events()))

    async def command(self, *arguments: str, stdin: str = "", **env: str) -> int:
        code, output, errors = await belfry_command(
            self.settings, *arguments, stdin=stdin, **{"BELFRY_SMTP_URL": self.settings.smtp_url} | env
        )
        self.said += [output, errors]
        return code


@asynccontextmanager
async def staged(settings: Settings, canaries: Canaries, directory: Path) -> AsyncIterator[Scene]:
    """All that is to be started, with passwords that are marked; what it prints goes into one file."""
    log = directory / "output.log"
    url = make_url(settings.database_url)
    if not url.password:
        url = url.set(password=canaries.new("password of PostgreSQL"))
    async with (
        embedded.running(say=lambda _: None) as server,
        smtp_sink(extensions=("8BITMIME", "AUTH PLAIN")) as sink,
        Redis.from_url(server.url) as redis,
    ):
        password = canaries.new("password of Redis")
        await redis.config_set("requirepass", password)
        await redis.execute_command("AUTH", password)
        relay = canaries.new("password of the mail server")
        sink.once("AUTH", f"535 5.7.8 {relay} is not the password")
        sink.once("RCPT", "450 4.2.1 later", "550 5.7.1 never")
        given = msgspec.structs.replace(
            settings,
            database_url=url.render_as_string(hide_password=False),
            redis_url=server.url.replace("unix://", f"unix://:{password}@", 1),
            smtp_url=f"smtp://belfry:{relay}@127.0.0.1:{sink.port}",
            secret_key=canaries.new("key that signs") + "-and-more-of-it",
            admin_password=canaries.new("password of the administrator"),
            broadcast_sender="eve@example.com",
            public_url="http://belfry.example",
            attempts=2,
        )
        with log.open("wb", buffering=0) as output:
            web, worker = Web(given, stderr=output), Worker(given, stderr=output)
            try:
                yield Scene(settings=given, redis=redis, web=web, worker=worker, log=log)
            finally:
                await web.close()
                await worker.close()
