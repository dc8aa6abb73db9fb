"""Which pages of other sites may use the API."""

import re

import httpx
import msgspec
import pytest

from belfry.settings import Settings, SettingsError
from db import Database
from tests.people import PASSWORD
from tests.serving import serving

LISTED = "https://app.example.com"
OTHERS = [
    "https://evil.example.com",
    "https://app.example.com.evil.net",
    "https://appxexample.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "null",
]
WANTED = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,idempotency-key",
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, cors_origins=f"{LISTED}, http://localhost:3000")


def allowed(answer: httpx.Response) -> str:
    """Pages of which origin may read it; none are "nobody"."""
    return str(answer.headers.get("access-control-allow-origin", "nobody"))


async def test_a_listed_site_uses_the_api_with_a_token(settings: Settings, db: Database) -> None:
    async with serving(settings) as belfry, belfry.person("bob@example.com") as bob:
        for origin in (LISTED, "http://localhost:3000"):
            before = await bob.client.options("/v1/notifications", headers={"origin": origin, **WANTED})
            sent = await bob.client.post(
                "/v1/notifications", json={"title": "Hello"}, headers={"origin": origin, "idempotency-key": origin}
            )
            refused = await bob.client.get("/v1/notifications/77", headers={"origin": origin})
            stream = await bob.client.get("/v1/stream", params={"poll": "1"}, headers={"origin": origin})

            assert before.status_code == 204
            assert {"authorization", "content-type", "idempotency-key"} <= set(
                before.headers["access-control-allow-headers"].lower().split(", ")
            )
            assert {"GET", "POST", "PATCH", "DELETE"} <= set(before.headers["access-control-allow-methods"].split(", "))
            assert [answer.status_code for answer in (sent, refused, stream)] == [202, 404, 200]
            for answer in (before, sent, refused, stream):
                assert allowed(answer) == origin
                assert "Origin" in answer.headers["vary"].split(", ")
                assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", OTHERS)
async def test_other_sites_may_not_read_what_is_answered(settings: Settings, db: Database, origin: str) -> None:
    async with serving(settings) as belfry, belfry.person("bob@example.com") as bob:
        headers = {"origin": origin}
        answers = [
            await bob.client.options("/v1/notifications", headers=headers | WANTED),
            await bob.client.get("/v1/notifications", headers=headers),
            await bob.client.get("/v1/stream", params={"poll": "1"}, headers=headers),
        ]

    assert [allowed(answer) for answer in answers] == ["nobody"] * 3


async def test_without_the_setting_there_is_no_other_site(settings: Settings, db: Database) -> None:
    closed = msgspec.structs.replace(settings, cors_origins="")
    async with serving(closed) as belfry, belfry.person("bob@example.com") as bob:
        answers = [
            await bob.client.options("/v1/notifications", headers={"origin": LISTED, **WANTED}),
            await bob.client.get("/v1/notifications", headers={"origin": LISTED}),
            await bob.client.get("/v1/stream", params={"poll": "1"}, headers={"origin": LISTED}),
        ]

    assert [allowed(answer) for answer in answers] == ["nobody"] * 3


async def test_a_listed_site_cannot_act_by_the_cookie(settings: Settings, db: Database) -> None:
    async with serving(settings) as belfry, belfry.person("bob@example.com") as bob, belfry.anonymous() as browser:
        await browser.post("/v1/auth/login", json={"email": bob.email, "password": PASSWORD})
        headers = {"origin": LISTED, "sec-fetch-site": "same-site"}
        sent = await browser.post("/v1/notifications", json={"title": "Hello"}, headers=headers)
        read = await browser.get("/v1/notifications", headers=headers)

    assert sent.status_code == 403
    assert "access-control-allow-credentials" not in read.headers  # so that a browser gives its answer to nobody


@pytest.mark.parametrize(
    "origins",
    [
        "*",
        "https://*.example.com",
        "app.example.com",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://App.example.com",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://app.example.com:",
        "https://app.example.com:99999",
        "https://user@app.example.com",
        "https://bücher.example",
        "ftp://app.example.com",
        "null",
        "https://",
        f"{LISTED} https://b.example.com",
    ],
)
def test_what_is_no_exact_origin_is_refused_at_the_start(settings: Settings, origins: str) -> None:
    with pytest.raises(SettingsError, match=re.escape("BELFRY_CORS_ORIGINS names")):
        msgspec.structs.replace(settings, cors_origins=origins)


@pytest.mark.parametrize("origins", ["", " , ", f"{LISTED},", "http://[::1]:3000", "http://127.0.0.1:8080"])
def test_exact_origins_are_taken(settings: Settings, origins: str) -> None:
    found = msgspec.structs.replace(settings, cors_origins=origins).allowed_origins

    assert list(found) == [each.strip() for each in origins.split(",") if each.strip()]
