"""Registering, logging in by token and by cookie, and what each role may do."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import msgspec
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from tests.people import PASSWORD, Person
from tests.serving import Serving, serving

HERE = "http://localhost:8000"


async def log_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/v1/auth/login", json={"email": email, "password": password})


@asynccontextmanager
async def browser(belfry: Serving, person: Person) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody logged in by cookie."""
    async with belfry.anonymous() as client:
        assert (await log_in(client, person.email)).status_code == 200
        yield client


def claims_of(client: httpx.AsyncClient) -> dict[str, Any]:
    token = client.headers["authorization"].removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False})


async def test_registering_makes_a_member_who_can_log_in(belfry: Serving) -> None:
    async with belfry.anonymous() as client:
        account = {"email": "Grace@Example.com", "password": PASSWORD, "display_name": "Grace Hopper"}
        made = await client.post("/v1/auth/register", json=account)
        opened = await log_in(client, "grace@example.COM")
        me = await client.get("/v1/me", headers={"authorization": f"Bearer {opened.json()['access_token']}"})

    assert made.status_code == 201
    assert me.json() == made.json()
    assert made.json() | {"id": 0} == {
        "id": 0,
        "email": "Grace@example.com",
        "email_verified": False,
        "display_name": "Grace Hopper",
        "role": "member",
        "time_zone": "UTC",
        "language": "en",
    }


async def test_an_address_is_taken_in_any_case_also_by_two_at_once(belfry: Serving) -> None:
    async with belfry.anonymous() as client:
        addresses = ["grace@example.com", "GRACE@example.com", "Grace@EXAMPLE.com"]
        answers = await asyncio.gather(
            *(client.post("/v1/auth/register", json={"email": each, "password": PASSWORD}) for each in addresses)
        )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_a_wrong_password_an_unknown_address_and_a_disabled_account_read_the_same(
    belfry: Serving, ada: Person, bob: Person, db: Database
) -> None:
    async with db.begin() as tx:
        await tx.execute(text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": bob.id})
    async with belfry.anonymous() as client:
        answers = [
            await log_in(client, ada.email, "not the password"),
            await log_in(client, "nobody@example.com"),
            await log_in(client, bob.email),
        ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert len({answer.text for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


async def test_a_token_says_who_and_until_when_and_nothing_else(ada: Person, belfry: Serving) -> None:
    claims = claims_of(ada.client)

    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("belfry", "belfry", str(ada.id))
    assert claims["exp"] - claims["iat"] == belfry.settings.access_token_seconds


@pytest.mark.parametrize(
    ("public_url", "name", "secure"),
    [("http://localhost", "belfry", False), ("https://b.example", "__Host-belfry", True)],
)
async def test_the_cookie_is_as_strict_as_the_address_allows(
    settings: Settings, db: Database, public_url: str, name: str, secure: bool
) -> None:
    async with (
        serving(msgspec.structs.replace(settings, public_url=public_url)) as belfry,
        belfry.person("ada@example.com") as ada,
        belfry.anonymous() as client,
    ):
        opened = await log_in(client, ada.email)
        session, device = opened.headers.get_list("set-cookie")
        value, *attributes = [part.strip() for part in session.split(";")]
        by_cookie = await client.get("/v1/me", headers={"cookie": value})

    assert value.partition("=")[0] == name
    assert device.partition("=")[0] == f"{name}-device"
    assert device.partition(";")[2].lower() == session.partition(";")[2].lower()
    assert opened.headers["cache-control"] == "no-store"
    assert {each.lower() for each in attributes} - {"max-age=34560000"} == {
        "httponly",
        "path=/",
        "samesite=lax",
        *(["secure"] if secure else []),
    }
    assert by_cookie.json()["email"] == ada.email


async def test_logging_out_ends_the_token_the_cookie_and_the_stream(belfry: Serving, ada: Person, bob: Person) -> None:
    async with browser(belfry, ada) as client, ada.stream() as events:
        assert (await client.post("/v1/auth/logout", headers={"origin": HERE})).status_code == 204
        assert "belfry" not in client.cookies
        assert (await ada.client.get("/v1/me")).status_code == 200  # another session
        assert (await ada.client.post("/v1/auth/logout")).status_code == 204
        await asyncio.wait_for(events.ended.wait(), 5)

    assert (await ada.client.get("/v1/me")).status_code == 401
    assert (await bob.client.get("/v1/me")).status_code == 200


async def test_a_cookie_that_was_logged_out_is_dead_even_if_it_was_copied(belfry: Serving, ada: Person) -> None:
    async with browser(belfry, ada) as client, belfry.anonymous() as thief:
        cookie = {"cookie": f"belfry={client.cookies['belfry']}"}
        assert (await thief.get("/v1/me", headers=cookie)).status_code == 200
        await client.post("/v1/auth/logout", headers={"origin": HERE})

        assert (await thief.get("/v1/me", headers=cookie)).status_code == 401


async def test_a_login_ends_the_one_that_the_browser_had(belfry: Serving, ada: Person, bob: Person) -> None:
    async with browser(belfry, ada) as client, belfry.anonymous() as thief:
        thief.headers["cookie"] = f"belfry={client.cookies['belfry']}"
        assert (await thief.get("/v1/me")).status_code == 200
        assert (await log_in(client, bob.email)).status_code == 200

        assert (await thief.get("/v1/me")).status_code == 401
        assert (await client.get("/v1/me")).json()["id"] == bob.id
    assert (await ada.client.get("/v1/me")).status_code == 200


async def test_a_script_that_logs_in_again_and_again_leaves_a_bounded_number_of_logins(
    belfry: Serving, ada: Person, bob: Person, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("belfry.accounts.login.MOST", 3)
    async with belfry.anonymous() as client, bob.stream() as oldest:
        async with db.statement() as tx:
            await tx.execute(text("UPDATE sessions SET last_seen_at = now() - interval '1 hour'"))
        for _ in range(3):
            token = (await log_in(client, bob.email)).json()["access_token"]
            client.cookies.clear()
        await asyncio.wait_for(oldest.ended.wait(), 5)
        listed = await client.get("/v1/sessions", headers={"authorization": f"Bearer {token}"})

    assert len(listed.json()) == 3
    assert (await bob.client.get("/v1/me")).status_code == 401
    assert (await ada.client.get("/v1/me")).status_code == 200


async def test_a_browser_that_is_used_stays_logged_in_for_a_month_more_and_a_year_at_most(
    belfry: Serving, ada: Person, db: Database
) -> None:
    seen = text("""
        UPDATE sessions SET last_seen_at = now() - interval '2 minutes', expires_at = now() + interval '1 hour',
            created_at = now() - make_interval(days => :age)
    """)
    left = text("SELECT max(expires_at) - now() FROM sessions")
    async with browser(belfry, ada) as client, db.statement() as tx:
        days = []
        for age in (100, 364):
            await tx.execute(seen, {"age": age})
            assert (await client.get("/v1/me")).status_code == 200
            days.append(round((await tx.scalar(left)) / timedelta(days=1)))

    assert days == [30, 1]


def key_id(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def signed(claims: dict[str, Any], secret: str, *, by: str = "") -> str:
    """A token as ours are; `by` is the key it claims to be signed with, if that is another."""
    return jwt.encode(claims, secret, "HS256", headers={"kid": key_id(by or secret)})


def forged(kind: str, claims: dict[str, Any], secret: str) -> str:
    """A token that is not to be believed."""
    now = datetime.now(UTC)
    match kind:
        case "expired":
            return signed(claims | {"exp": now - timedelta(minutes=1)}, secret)
        case "from the future":
            return signed(claims | {"iat": now + timedelta(hours=1)}, secret)
        case "of another key":
            return signed(claims, "f" * 32)
        case "of another key that says it is ours":
            return signed(claims, "f" * 32, by=secret)
        case "without a key id":
            return jwt.encode(claims, secret, "HS256")
        case "of another algorithm":
            return jwt.encode(claims, secret * 2, "HS512", headers={"kid": key_id(secret)})
        case "unsigned":
            return jwt.encode(claims, None, "none", headers={"kid": key_id(secret)})
        case "for another audience":
            return signed(claims | {"aud": "other"}, secret)
        case "by another issuer":
            return signed(claims | {"iss": "other"}, secret)
        case "without an end":
            return signed({name: value for name, value in claims.items() if name != "exp"}, secret)
        case "of a session as text":
            return signed(claims | {"sid": str(claims["sid"])}, secret)
        case "of no session":
            return signed(claims | {"sid": 2**62}, secret)
        case "nested":
            return base64.urlsafe_b64encode(b'{"a":' * 500).decode().rstrip("=") + ".e30.AA"
    header, _, signature = signed(claims, secret).split(".")
    payload = base64.urlsafe_b64encode(json.dumps(claims | {"sid": 1}).encode()).decode().rstrip("=")
    return f"{header}.{payload}.{signature}"


FORGERIES = (
    *("expired", "from the future", "of another key", "of another algorithm", "unsigned", "for another audience"),
    *("of another key that says it is ours", "without a key id"),
    *("by another issuer", "without an end", "of a session as text", "of no session", "nested", "altered"),
)
NO_TOKENS = ("", "Bearer", "Basic YTpi", "Bearer x", "Bearer " + "x" * 5_000, "Bearer \u00ff\u00fe")


async def test_a_token_that_is_not_ours_is_refused(belfry: Serving, ada: Person) -> None:
    secret = belfry.settings.secret_key
    good = claims_of(ada.client)
    headers = [f"Bearer {forged(kind, good, secret)}" for kind in FORGERIES] + list(NO_TOKENS)
    async with belfry.anonymous() as client:
        ours = f"Bearer {signed(good, secret)}"
        answers = [
            await client.get("/v1/me", headers={b"authorization": h.encode("latin-1")}) for h in [ours, *headers]
        ]

    assert [answer.status_code for answer in answers] == [200, *(401 for _ in headers)]
    assert {answer.json().get("title") for answer in answers[1:]} == {"Not logged in"}


async def test_a_disabled_user_is_out_at_once(belfry: Serving, ada: Person, bob: Person, db: Database) -> None:
    async with browser(belfry, bob) as client:
        async with db.begin() as tx:
            await tx.execute(text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": bob.id})

        assert (await bob.client.get("/v1/me")).status_code == 401
        assert (await client.get("/v1/me")).status_code == 401
        await ada.post("/v1/notifications", 422, to=bob.email, title="Are you there?")


FOREIGN: list[dict[str, str]] = [
    {},
    {"sec-fetch-site": "cross-site", "origin": HERE},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://["},
    {"origin": "localhost:8000"},
]


async def test_a_cookie_changes_things_only_from_our_own_pages(belfry: Serving, ada: Person) -> None:
    async with browser(belfry, ada) as client:

        async def send(headers: dict[str, str]) -> int:
            return (await client.post("/v1/notifications", json={"title": "x"}, headers=headers)).status_code

        refused = [await send(headers) for headers in FOREIGN]
        accepted = [await send({"sec-fetch-site": "same-origin"}), await send({"origin": HERE})]
        read = [
            await client.get("/v1/notifications", headers={"sec-fetch-site": site}) for site in ("cross-site", "none")
        ]

    assert refused == [403] * len(FOREIGN)
    assert accepted == [202, 202]
    assert read[0].status_code in (401, 403)
    assert len(read[1].json()["items"]) == 2


@pytest.mark.parametrize(
    ("role", "to_others", "to_all"), [("member", 403, 403), ("sender", 202, 202), ("admin", 202, 202)]
)
async def test_a_role_decides_who_one_may_reach(belfry: Serving, role: str, to_others: int, to_all: int) -> None:
    async with belfry.person("grace@example.com", role=role) as me, belfry.person("alan@example.com") as alan:
        expected: list[tuple[str, dict[str, Any], int]] = [
            ("/v1/notifications", {}, 202),
            ("/v1/notifications", {"to": me.id}, 202),
            ("/v1/notifications", {"to": "GRACE@example.com"}, 202),
            ("/v1/notifications", {"to": alan.id}, to_others),
            ("/v1/notifications", {"to": alan.email}, to_others),
            ("/v1/notifications/batch", {"to": [me.id, me.email]}, 202),
            ("/v1/notifications/batch", {"to": [me.id, alan.id]}, to_others),
            ("/v1/broadcasts", {}, to_all),
            ("/v1/alerts", {"to": me.id}, 202),
            ("/v1/alerts", {"to": alan.email}, to_others),
            ("/v1/alerts", {"to": "everyone"}, to_all),
        ]
        for path, more, status in expected:
            await me.post(path, status, title="Hello", **more)
        assert (await me.client.get("/v1/broadcasts")).status_code == (200 if to_all == 202 else 403)


async def test_a_login_renews_a_hash_of_other_parameters(belfry: Serving, ada: Person, db: Database) -> None:
    old = PasswordHasher(1, 8, 1).hash(PASSWORD)
    hashes = text("SELECT password_hash FROM users WHERE id = :id")
    async with db.begin() as tx:
        await tx.execute(text("UPDATE users SET password_hash = :old WHERE id = :id"), {"old": old, "id": ada.id})
    async with belfry.anonymous() as client:
        await log_in(client, ada.email, "not the password")
        async with db.statement() as tx:
            assert await tx.scalar(hashes, {"id": ada.id}) == old
        assert (await log_in(client, ada.email)).status_code == 200
        async with db.statement() as tx:
            renewed = await tx.scalar(hashes, {"id": ada.id})
        assert (await log_in(client, ada.email)).status_code == 200
        async with db.statement() as tx:
            assert await tx.scalar(hashes, {"id": ada.id}) == renewed

    assert renewed != old
    assert not belfry.given.passwords.outdated(renewed)
