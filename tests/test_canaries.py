"""Marked secrets in every input of every process, every kind of trouble provoked; and no output shows one of them."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.engine import make_url

from belfry.sending.bell import BROADCAST, QUEUE, SEND_DUE
from belfry.settings import Settings
from belfry.up import redis as embedded
from db import Database
from tests.processes import Web, Worker, belfry_command
from tests.realtime.raw import eventually
from tests.smtp_sink import smtp_sink

# What a statement is given, in the words of an error: as a constraint of PostgreSQL would say it.
BLOW = """
    CREATE FUNCTION blow() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE row record;
    BEGIN
        SELECT title, content INTO row FROM notifications WHERE id = (to_jsonb(NEW)->>'notification_id')::bigint;
        IF row.title IS NULL THEN row := NEW; END IF;
        IF row.title LIKE TG_ARGV[0] THEN
            RAISE EXCEPTION 'row: %, %', row.title, row.content USING ERRCODE = 'XX000';
        END IF;
        RETURN NEW;
    END $$
"""
FUSES = (
    "CREATE TRIGGER fuse BEFORE INSERT ON notifications FOR EACH ROW EXECUTE FUNCTION blow('blow %')",
    "CREATE TRIGGER fuse BEFORE UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION blow('burn %')",
)
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


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


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
async def fuse(db: Database) -> AsyncIterator[None]:
    async with db.statement() as tx:
        for statement in (BLOW, *FUSES):
            await tx.execute(text(statement))
    yield
    async with db.statement() as tx:
        await tx.execute(text("DROP FUNCTION blow() CASCADE"))


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
            attempts=2,
        )
        with log.open("wb", buffering=0) as output:
            web, worker = Web(given, stderr=output), Worker(given, stderr=output)
            try:
                yield Scene(settings=given, redis=redis, web=web, worker=worker, log=log)
            finally:
                await web.close()
                await worker.close()


async def test_no_output_of_any_process_shows_a_secret(
    settings: Settings, db: Database, fuse: None, canaries: Canaries, tmp_path: Path
) -> None:
    async with staged(settings, canaries, tmp_path) as scene:
        password = canaries.new("password of an account")
        made = [
            scene.command("user", "create", email, "--role", role, "--password-stdin", stdin=password)
            for role, email in (("admin", "eve@example.com"), ("member", "bob@example.com"))
        ]
        assert await asyncio.gather(scene.web.start(), scene.worker.start(), *made)
        async with httpx.AsyncClient(base_url=scene.web.url, timeout=20) as client:
            await _come_in_every_way(client, canaries, password)
            await _say_it_everywhere(client, canaries)
            sent = await client.post(
                "/v1/notifications", json={"to": "bob@example.com", "title": canaries.new("title")}
            )
            assert sent.status_code == 202
            await _find_both_ends(scene, sent)
            await _trouble(scene, client, canaries, db)
        await _commands(scene, canaries)
        shown = canaries.in_(scene.log.read_text()) | canaries.in_("\n".join(scene.said))
        lines = scene.events()

    assert shown == set()
    assert len(lines) == len(scene.log.read_text().splitlines()), "not all lines are JSON"
    assert [line for line in lines if "exception" in line]


async def _come_in_every_way(client: httpx.AsyncClient, canaries: Canaries, password: str) -> None:
    """Every credential there is, and forged ones; the client is an admin afterwards."""
    for email in ("eve@example.com", f"{canaries.new('address of nobody')}@example.com"):
        wrong = {"email": email, "password": canaries.new("wrong password")}
        assert (await client.post("/v1/auth/login", json=wrong)).status_code == 401
    login = await client.post("/v1/auth/login", json={"email": "eve@example.com", "password": password})
    assert login.status_code == 200
    tokens = login.json()
    for name in ("access_token", "refresh_token"):
        canaries.known(name, tokens[name])
    for name, value in client.cookies.items():
        canaries.known(f"cookie {name}", value)
    await client.get("/v1/me")
    await client.post("/v1/auth/logout", json={})  # not from our own pages
    client.cookies.clear()
    for forged in (
        f"Bearer {canaries.new('token')}",
        f"Bearer blf_{canaries.new('key')}",
        f"Basic {canaries.new('x')}",
    ):
        assert (await client.get("/v1/me", headers={"authorization": forged})).status_code == 401
    assert (await client.get("/v1/me", headers={"cookie": f"belfry={canaries.new('cookie')}"})).status_code == 401
    client.cookies.clear()
    client.headers["authorization"] = f"Bearer {tokens['access_token']}"
    refused = await client.post("/v1/auth/refresh", json={"refresh_token": canaries.new("refresh token")})
    assert refused.status_code == 401
    for ticket in (canaries.new("ticket"), (await client.post("/v1/stream/tickets")).json()["ticket"]):
        canaries.known("ticket", ticket)
        for _ in range(2):
            await client.get("/v1/stream", params={"ticket": ticket, "poll": "1"})
    key = (await client.post("/v1/api-keys", json={"name": canaries.new("name"), "scopes": ["read"]})).json()["key"]
    await client.get("/v1/me", headers={"authorization": f"Bearer {canaries.known('API key', key)}"})
    change = {"current": canaries.new("wrong current password"), "new": canaries.new("new password")}
    assert (await client.post("/v1/me/password", json=change)).status_code == 422


async def _say_it_everywhere(client: httpx.AsyncClient, canaries: Canaries) -> None:
    words = {"title": canaries.new("title"), "content": canaries.new("content"), "tags": [canaries.new("tag")]}
    link = {"link": f"https://a.example/?{canaries.new('link')}"}
    headers = {
        "idempotency-key": canaries.new("idempotency key"),
        "user-agent": canaries.new("user agent"),
        "x-forwarded-for": canaries.new("forwarded"),
        "x-request-id": canaries.new("request id"),
        "origin": f"https://{canaries.new('origin')}.example",
        "last-event-id": canaries.new("cursor"),
    }
    assert (await client.post("/v1/notifications", json=words | link, headers=headers)).status_code == 202
    for path in ("/v1/notifications", "/v1/broadcasts", "/v1/auth/login", "/v1/schedules"):
        for body in (
            f'{{"title": "{canaries.new("bad JSON")}',
            json.dumps({"title": 1, canaries.new("unknown field"): canaries.new("unknown value")}),
        ):
            answer = await client.post(path, content=body, headers=headers | {"content-type": "application/json"})
            assert answer.status_code in (400, 422)
    for path in (
        f"/unsubscribe/{canaries.new('link to unsubscribe')}",
        f"/v1/{canaries.new('path')}",
        f"/v1/notifications?cursor={canaries.new('cursor')}",
        f"/v1/audit?token={canaries.new('query')}",
        f"/v1/stream?poll=1&types={canaries.new('types')}",
    ):
        await client.get(path, headers=headers)
        await client.post(path, headers=headers)


async def _find_both_ends(scene: Scene, sent: httpx.Response) -> None:
    """A line of the web process and one of the worker name the same notification, and who asked for what."""
    notification_id = sent.json()["id"]
    accepted = await scene.logs(lambda line: line.get("request_id") == sent.headers["x-request-id"])
    mailed = await scene.logs(
        lambda line: line.get("notification_id") == notification_id and str(line["event"]).startswith("e-mail")
    )

    assert accepted | {"notification_id": notification_id, "user_id": sent.json()["sender"]["id"]} == accepted
    assert (accepted["method"], accepted["route"], accepted["status"]) == ("POST", "/v1/notifications", 202)
    assert {"delivery_id", "user_id", "job_id", "job"} <= set(mailed)


async def _trouble(scene: Scene, client: httpx.AsyncClient, canaries: Canaries, db: Database) -> None:
    """In PostgreSQL, in Redis and in the queue; that of the mail server has happened."""
    await scene.logs(lambda line: "the SMTP relay is unavailable" in str(line["event"]))
    blown = {"title": f"blow {canaries.new('title in an error')}", "content": canaries.new("content in an error")}
    failed = await client.post("/v1/notifications", json=blown)
    assert failed.status_code == 500
    line = await scene.logs(lambda line: line["event"] == "request failed")
    assert line["request_id"] == failed.headers["x-request-id"]
    assert "psycopg.errors.InternalError_ (XX000)" in line["exception"]

    said = canaries.new("in the queue")
    jobs: list[bytes] = [
        base64.b64decode("gASVCg==") + said.encode(),
        json.dumps({"t": None, "f": said, "a": [said], "k": {}, "et": 0}).encode(),
        json.dumps({"t": None, "f": BROADCAST, "a": [{"title": said, said: said}, said], "k": {}, "et": 0}).encode(),
        json.dumps({"t": None, "f": BROADCAST, "a": [{"title": f"blow {said}"}, said], "k": {}, "et": 0}).encode(),
    ]
    for number, job in enumerate(jobs):
        await scene.redis.set(f"arq:job:forged{number}", job)
    await scene.redis.zadd(
        QUEUE, {f"forged{number}".encode(): 1 for number in range(len(jobs))} | {said.encode() + b"\xff": 1}
    )
    for number in range(len(jobs)):
        await scene.logs(lambda line, number=number: line.get("job_id") == f"forged{number}")  # type: ignore[misc]
    await scene.logs(lambda line: f"{BROADCAST}: PostgreSQL did not take it" in line["event"])
    burns = {"to": "bob@example.com", "title": f"burn {canaries.new('title in an error of the worker')}"}
    assert (await client.post("/v1/notifications", json=burns)).status_code == 202
    assert "XX000" in (await scene.logs(lambda line: line["event"] == f"{SEND_DUE} failed"))["exception"]

    await scene.redis.config_set("requirepass", canaries.new("next password of Redis"))
    await scene.redis.client_kill_filter(_type="pubsub")
    await scene.redis.client_kill_filter(_type="normal", skipme=True)
    await scene.logs(lambda line: "no connection for events" in line["event"])
    await scene.logs(lambda line: "Redis is unavailable" in line["event"])
    async with db.statement() as tx:
        await tx.execute(text(CUT))
    for _ in range(3):
        await client.post("/v1/notifications", json={"title": canaries.new("title meanwhile")})


async def _commands(scene: Scene, canaries: Canaries) -> None:
    """With words that are refused, and with settings that are."""
    said = canaries.new("in a command")
    refused = {
        "BELFRY_DATABASE_URL": f"postgresql://u:p#{said}@host:port/x",
        "BELFRY_REDIS_URL": scene.settings.redis_url.replace("@", f"{said}@"),
        "BELFRY_SMTP_URL": f"smtp://u:p#{said}@127.0.0.1",
        "BELFRY_SECRET_KEY": f"password-{said}",
    }
    codes = await asyncio.gather(
        scene.command("broadcast", "--key", said, "--title", f"blow {said}", "--as", "eve@example.com"),
        scene.command("user", "password", "eve@example.com", "--password-stdin", stdin=said),
        *(scene.command("worker", **{name: value}) for name, value in refused.items()),
    )
    assert codes[1] == 0
    assert 0 not in (codes[0], *codes[2:])
