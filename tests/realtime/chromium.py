"""Chromium and its own EventSource, on a page of Belfry's origin."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from tests.people import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needed = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

LOG_IN = """async ([email, password]) => (await fetch('/v1/auth/login', {
    method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({email, password}),
})).status"""

LISTEN = """() => {
    window.seen = [];
    window.source = new EventSource('/v1/stream');
    for (const name of ['open', 'notification', 'count', 'state', 'reset', 'reconnect'])
        source.addEventListener(name, event => {
            if (event instanceof MessageEvent)  // the browser fires an `open` of its own
                seen.push({name, data: JSON.parse(event.data), id: event.lastEventId});
        });
}"""


class Tab:
    """A logged-in page that listens."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def listen(self) -> None:
        await self._page.evaluate(LISTEN)

    async def seen(self) -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = await self._page.evaluate("seen")
        return seen

    async def ready_state(self) -> int:
        return int(await self._page.evaluate("source.readyState"))

    async def event(self, name: str, event_id: str, *, within: float = 20) -> None:
        """Return when an event of this name and id has come."""
        await self._page.wait_for_function(
            "([name, id]) => seen.some(event => event.name === name && event.id === id)",
            arg=[name, event_id],
            timeout=within * 1000,
        )


async def visit(page: Page, address: str, content: str) -> None:
    """Go to a page that the server at this address does not have: what it answers itself may not run anything."""
    await page.route(address, lambda route: route.fulfill(body=content, content_type="text/html"))
    await page.goto(address)
    await page.unroute(address)


@asynccontextmanager
async def tab(url: str, email: str) -> AsyncIterator[Tab]:
    """A browser of its own, with somebody logged in by cookie."""
    with tempfile.TemporaryDirectory() as profile:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch_persistent_context(
                profile, executable_path=CHROMIUM, headless=True, args=ARGUMENTS
            )
            page = await browser.new_page()
            await visit(page, f"{url}/page", "<!doctype html>")
            assert await page.evaluate(LOG_IN, [email, PASSWORD]) == 200
            yield Tab(page)
            await browser.close()
