"""axe finds nothing to complain about, in light and dark, whatever the panel shows."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.pages.browser import STYLE, Bell, bell, browser, log_in
from tests.people import Person
from tests.realtime import chromium
from tests.serving import Serving

pytestmark = chromium.needed


@pytest.fixture(params=["light", "dark"])
async def tab(request: pytest.FixtureRequest, belfry: Serving, ada: Person, bob: Person) -> AsyncIterator[Bell]:
    await ada.send("Read", to=bob.id)
    await bob.mark("read", ids=[(await bob.inbox())["items"][0]["id"]])
    await ada.send("With a link", to=bob.id, content="And a text", link="https://ci.example.com/", priority=5)
    await ada.broadcast("To all")
    async with browser(color_scheme=request.param, reduced_motion="reduce") as context:
        await log_in(context, belfry.url, bob.email)
        style = f":root {{ color-scheme: {request.param}; }} {STYLE}"
        yield await bell(context, belfry.url, style=style)


async def complaints(tab: Bell) -> list[Any]:
    found = (await Axe().run(tab.page)).response["violations"]
    return [(each["id"], [(node["html"], node["any"]) for node in each["nodes"]]) for each in found]


async def test_closed_and_open(tab: Bell) -> None:
    assert await complaints(tab) == []
    await tab.open()
    await tab.shows("To all", "With a link", "Read")
    assert await complaints(tab) == []
    await tab.row("Read").hover()
    assert await complaints(tab) == []


async def test_with_something_to_undo(tab: Bell) -> None:
    await tab.open()
    await tab.row("To all").get_by_role("button", name="Delete").click()
    await expect(tab.toast).to_be_visible()
    assert await complaints(tab) == []


async def test_empty_and_offline(tab: Bell, bob: Person) -> None:
    await bob.mark("delete", through=(await bob.inbox())["items"][0]["id"])
    await tab.counts(0)
    await tab.open()
    await expect(tab.panel.get_by_text("All quiet")).to_be_visible()
    assert await complaints(tab) == []
    await tab.page.context.set_offline(True)
    await expect(tab.panel.get_by_text("Offline. Will catch up.")).to_have_css("opacity", "1")
    assert await complaints(tab) == []
