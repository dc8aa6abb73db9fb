"""What answers tell browsers beside their content."""

import httpx
import msgspec
import pytest

from belfry.settings import Settings
from belfry.web import headers
from db import Database
from tests.people import Person
from tests.serving import Serving, serving

LOCKED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
LISTED = "https://app.example.com"


async def one_of_each(client: httpx.AsyncClient) -> dict[str, httpx.Response]:
    """Answers of every kind: of handlers, of the stream's own road past them, of Litestar, and of what refuses."""
    return {
        "an answer": await client.get("/v1/me"),
        "a stream": await client.get("/v1/stream", params={"poll": "1"}),
        "a refusal": await client.get("/v1/me", headers={"authorization": "Bearer x"}),
        "bad input": await client.post("/v1/notifications", content=b"{"),
        "no route": await client.get("/nothing"),
        "no such method": await client.put("/v1/me"),
        "OPTIONS": await client.options("/v1/me"),
        "the document": await client.get("/schema"),
        "health": await client.get("/health/live"),
    }


async def test_every_answer_is_locked(belfry: Serving, bob: Person) -> None:
    for what, answer in (await one_of_each(bob.client)).items():
        told = answer.headers
        assert told["x-content-type-options"] == "nosniff", what
        assert told["content-security-policy"] == LOCKED, what
        assert told["referrer-policy"] == "no-referrer", what
        assert told["cross-origin-opener-policy"] == "same-origin", what
        assert told["cross-origin-resource-policy"] == "same-origin", what
        assert told["cache-control"] == "no-store", what
        assert "strict-transport-security" not in told, what
        assert len(told.get_list("cache-control")) == 1, what


async def test_where_belfry_is_behind_https_browsers_are_to_stay_there(settings: Settings, db: Database) -> None:
    secure = msgspec.structs.replace(settings, public_url="https://belfry.example.com")
    async with serving(secure) as belfry, belfry.person("bob@example.com") as bob:
        for what, answer in (await one_of_each(bob.client)).items():
            assert answer.headers["strict-transport-security"] == "max-age=31536000", what
    for address in ("https://localhost:8443", "https://127.0.0.1"):
        own_machine = msgspec.structs.replace(settings, public_url=address)
        assert b"strict-transport-security" not in dict(headers.data(own_machine))


async def test_files_and_pages_that_say_more_about_themselves_are_left_alone(belfry: Serving) -> None:
    async with belfry.anonymous() as client:
        script, page = await client.get("/bell.js"), await client.get("/unsubscribe/x")

    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert script.headers["cache-control"] == "no-cache"
    assert script.headers["content-security-policy"].startswith("default-src 'self'; base-uri 'none'")
    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    assert len(page.headers.get_list("content-security-policy")) == 1


async def test_a_page_that_is_still_good_keeps_what_it_came_with(belfry: Serving) -> None:
    async with belfry.anonymous() as client:
        page = await client.get("/")
        again = await client.get("/", headers={"if-none-match": page.headers["etag"]})

    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert again.status_code == 304
    assert "content-security-policy" not in again.headers


async def test_a_listed_site_may_read_the_api_and_nothing_else(settings: Settings, db: Database) -> None:
    listed = msgspec.structs.replace(settings, cors_origins=LISTED)
    async with serving(listed) as belfry, belfry.person("bob@example.com") as bob:
        asked = {"origin": LISTED, "access-control-request-method": "GET"}
        for path in ("/health/ready", "/schema", "/unsubscribe/x", "/dev/mail", "/nothing"):
            for answer in (
                await bob.client.get(path, headers={"origin": LISTED}),
                await bob.client.options(path, headers=asked),
            ):
                assert "access-control-allow-origin" not in answer.headers, path
        script = await bob.client.get("/bell.js", headers={"origin": LISTED})

    assert (script.headers["access-control-allow-origin"], script.headers["vary"]) == ("*", "accept-encoding")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, 403),
    ],
)
async def test_a_cookie_is_good_from_our_own_pages_only(
    belfry: Serving, bob: Person, sent: dict[str, str], status: int
) -> None:
    async with belfry.anonymous() as browser:
        login = {"email": bob.email, "password": "correct horse battery staple"}
        assert (await browser.post("/v1/auth/login", json=login)).status_code == 200

        assert (await browser.get("/v1/notifications", headers=sent)).status_code == status
        poll = await browser.get("/v1/stream", params={"poll": "1"}, headers=sent)
        assert poll.status_code == status
        changing = await browser.post("/v1/notifications", json={"title": "x"}, headers=sent)
        assert changing.status_code == (202 if sent.get("sec-fetch-site") == "same-origin" else 403)


async def test_every_request_has_an_id_of_ours(bob: Person) -> None:
    answers = [await bob.client.get("/v1/me", headers={"x-request-id": "theirs"}) for _ in range(2)]
    ids = {answer.headers["x-request-id"] for answer in answers}

    assert len(ids) == 2
    assert all(len(each) == 16 for each in ids)
