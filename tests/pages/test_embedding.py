"""The bell on a page of another site."""

import json
from collections.abc import AsyncIterator

import msgspec
import pytest
from playwright.async_api import BrowserContext, expect

from belfry.settings import Settings
from db import Database
from tests.pages.browser import PATIENCE, Bell, browser, knows
from tests.pages.host import embedding
from tests.people import Person
from tests.processes import free_port
from tests.realtime import chromium
from tests.realtime.raw import eventually
from tests.serving import Serving, serving

pytestmark = chromium.needed

PORT = free_port()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, cors_origins=f"http://localhost:{PORT}")


@pytest.fixture
async def context() -> AsyncIterator[BrowserContext]:
    """Nobody is logged in by cookie."""
    async with browser() as context:
        yield context


async def acting_token(site: Person, person: Person) -> str:
    """What a site's server gets for somebody, with an API key of its own."""
    key = (await site.post("/v1/api-keys", 201, name="site", scopes=["act-as"]))["key"]
    answer = await site.client.post(f"/v1/users/{person.id}/token", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 201
    return str(answer.json()["access_token"])


async def visit(context: BrowserContext, address: str) -> Bell:
    page = await context.new_page()
    await page.goto(address)
    return Bell(page)


async def test_it_works_with_a_token_under_a_strict_policy_and_any_style(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person, eve: Person
) -> None:
    await ada.send("Before", to=bob.id)
    async with embedding(belfry.url, json.dumps([await acting_token(eve, bob)]), PORT) as site:
        tab = await visit(context, site)
        await tab.becomes("live")
        await tab.counts(1)
        await tab.open()
        await tab.shows("Before")
        await ada.send("Live", to=bob.id)
        await tab.shows("Live", "Before")
        await tab.row("Live").get_by_role("button", name="Mark as read").click()
        await tab.counts(1)

        assert await tab.page.evaluate("violations") == []
        assert await tab.page.evaluate("asked") == [None]
        await knows(bob, 1)
        box = await tab.panel.bounding_box()
        assert box is not None
        assert box["width"] == 400
        looks = "e => { const s = getComputedStyle(e); return [s.color, s.fontStyle, s.fontSize, s.letterSpacing]; }"
        assert await tab.panel.evaluate(looks) == ["rgb(25, 28, 35)", "normal", "15px", "normal"]


async def test_tabs_of_the_site_share_a_stream_too(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    async with embedding(belfry.url, json.dumps([bob.access_token]), PORT) as site:
        first, second = [await visit(context, site) for _ in range(2)]
        for tab in (first, second):
            await tab.becomes("live")
        await eventually(lambda: belfry.given.live.hub.open == 1)
        await first.page.close()
        await ada.send("One", to=bob.id)
        await second.counts(1)
        await ada.send("Two", to=bob.id)
        await second.counts(2)
        await eventually(lambda: belfry.given.live.hub.open == 1)


async def test_a_token_that_is_refused_is_asked_for_again(
    belfry: Serving, context: BrowserContext, bob: Person
) -> None:
    async with embedding(belfry.url, json.dumps(["stale", bob.access_token]), PORT) as site:
        tab = await visit(context, site)
        await tab.becomes("live")

        assert await tab.page.evaluate("asked") == [None, "stale"]


async def test_a_token_that_ends_is_replaced_and_nothing_is_missed(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    login = {"email": bob.email, "password": "correct horse battery staple"}
    async with belfry.anonymous() as client:
        other = (await client.post("/v1/auth/login", json=login)).json()["access_token"]
    async with embedding(belfry.url, json.dumps([bob.access_token, other]), PORT) as site:
        tab = await visit(context, site)
        await tab.becomes("live")
        assert (await bob.client.post("/v1/auth/logout")).status_code == 204
        await ada.send("Missed", to=bob.id)
        await tab.counts(1)

        assert await tab.page.evaluate("asked") == [None, bob.access_token]


async def test_without_a_valid_token_it_says_so_and_shows_nothing(
    belfry: Serving, context: BrowserContext, bob: Person
) -> None:
    async with embedding(belfry.url, json.dumps(["stale"]), PORT) as site:
        tab = await visit(context, site)
        await tab.becomes("signed-out")
        await tab.open()
        await expect(tab.panel.get_by_text("Not logged in")).to_be_visible()
        await tab.page.evaluate("token => document.querySelector('belfry-bell').token = () => token", bob.access_token)
        await tab.becomes("live")


async def test_a_site_that_is_not_listed_gets_nothing(
    settings: Settings, db: Database, context: BrowserContext
) -> None:
    closed = msgspec.structs.replace(settings, cors_origins="https://app.example.com")
    async with (
        serving(closed) as belfry,
        belfry.person("bob@example.com") as bob,
        embedding(belfry.url, json.dumps([bob.access_token]), PORT) as site,
    ):
        tab = await visit(context, site)
        await tab.open()
        await tab.becomes("offline")
        await expect(tab.panel.get_by_text("Out of reach")).to_be_visible(timeout=PATIENCE)
        assert belfry.given.live.hub.open == 0
