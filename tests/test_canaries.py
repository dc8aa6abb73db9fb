"""Marked secrets in every input of every process, every kind of trouble provoked; and no output shows one of them."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from belfry.accounts.links import OneTimeLinks, Seeded
from belfry.sending.bell import BROADCAST, QUEUE, SEND_DUE
from belfry.settings import Settings
from db import Database
from tests.canaries import Canaries, Scene, staged

# What a statement is given, in the words of an error: as a constraint of PostgreSQL would say it.
BLOW = """
    CREATE FUNCTION blow() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE row jsonb := to_jsonb(NEW);
    BEGIN
        SELECT to_jsonb(n) INTO row FROM notifications n WHERE id = (row->>'notification_id')::bigint;
        row := coalesce(row, to_jsonb(NEW));
        IF row->>'title' LIKE TG_ARGV[0] THEN
            RAISE EXCEPTION 'row: %, %', row->>'title', row->>'content' USING ERRCODE = 'XX000';
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
            await _make_and_change_accounts(client, canaries, db, scene.settings)
            await _trouble(scene, client, canaries, db)
        await _commands(scene, canaries)
        shown = canaries.in_(scene.log.read_text()) | canaries.in_("\n".join(scene.said))
        lines = scene.events()

    assert shown == set()
    assert len(lines) == len(scene.log.read_text().splitlines()), "not all lines are JSON"
    assert [line for line in lines if "exception" in line]
    assert [line for line in lines if "BELFRY_PUBLIC_URL is not https" in line["event"]]


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
    scopes = ["read", "act-as"]
    key = (await client.post("/v1/api-keys", json={"name": canaries.new("name"), "scopes": scopes})).json()["key"]
    as_program = {"authorization": f"Bearer {canaries.known('API key', key)}"}
    await client.get("/v1/me", headers=as_program)
    acting = await client.post("/v1/users/bob@example.com/token", headers=as_program)
    page = {"authorization": f"Bearer {canaries.known('token to act', acting.json()['access_token'])}"}
    assert (await client.get("/v1/notifications", headers=page)).status_code == 200
    change = {"current": canaries.new("wrong current password"), "new": canaries.new("new password")}
    assert (await client.post("/v1/me/password", json=change)).status_code == 422


async def _make_and_change_accounts(
    client: httpx.AsyncClient, canaries: Canaries, db: Database, settings: Settings
) -> None:
    """Every route that takes a password, or a link of a mail; and the links that were sent."""
    password = canaries.new("password of a new account")
    names = {"display_name": canaries.new("name of a new account")}
    body = {"email": "grace@example.com", "password": password}
    statuses = [(await client.post("/v1/auth/register", json=body | names)).status_code for _ in range(2)]
    wrong = canaries.new("wrong password of mine")
    link = {"token": canaries.new("link that is none"), "password": canaries.new("password by link")}
    for path, given in {
        "/v1/auth/confirm": {"password": wrong},
        "/v1/me/email": {"email": "new@example.com", "password": wrong},
        "/v1/me/delete": {"password": wrong},
        "/v1/auth/link": {"token": link["token"]},
        "/v1/auth/email/verify": link,
        "/v1/auth/password/reset": link,
        "/v1/auth/invitation": link,
        "/v1/auth/password/forgot": {"email": "grace@example.com"},
        "/v1/invitations": {"email": "linus@example.com"},
    }.items():
        statuses.append((await client.post(path, json=given)).status_code)
    assert statuses == [201, 409, *[422] * 7, 202, 201]
    links = OneTimeLinks(settings.secret_key)
    async with db.statement() as tx:
        seeds = (
            await tx.execute(text("SELECT kind, seed, token_hash FROM security_mails WHERE seed IS NOT NULL"))
        ).all()
    sent = {row.kind: canaries.known(f"link to {row.kind}", links.token(Seeded(*row[1:]))) for row in seeds}
    for path, kind in (("password/reset", "reset"), ("invitation", "invite")):
        used = await client.post(f"/v1/auth/{path}", json={"token": sent[kind], "password": link["password"]})
        assert used.status_code in (201, 204), used.text
    client.cookies.clear()


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
