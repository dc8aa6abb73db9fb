"""The bell in Chromium: pages that carry it, and what a test asks of them."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from tests.people import PASSWORD, Person
from tests.realtime.chromium import ARGUMENTS, CHROMIUM, LOG_IN, visit
from tests.realtime.raw import eventually_yes

PATIENCE = 20_000  # milliseconds
# A page of ours comes from nowhere (see `visit`), and browsers keep such pages away from this machine's servers.
NEIGHBOURS = "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests"

PAGE = """<!doctype html>
<html lang="{lang}" dir="{dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>A page with a bell</title>
<script type="module" src="{src}/bell.js"></script>
<script>
  window.said = [];
  for (const name of ['belfry:notification', 'belfry:count'])
    addEventListener(name, event => said.push({{name, detail: event.detail}}));
</script>
<style>{style}</style>
</head>
<body>
<main>
<h1>A page</h1><button id="before">Before</button> <belfry-bell></belfry-bell> <button id="after">After</button>
</main>
</body>
</html>"""
STYLE = "body { margin: 0; padding: 12px; text-align: end; } main { min-height: 300px; } h1 { font-size: 1rem; }"


def html(*, src: str = "", lang: str = "en", direction: str = "ltr", style: str = STYLE) -> str:
    return PAGE.format(src=src, lang=lang, dir=direction, style=style)


class Bell:
    """A page and the bell on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.element = page.locator("belfry-bell")
        self.button = self.element.locator(".bell")
        self.badge = self.element.locator(".badge")
        self.panel = self.element.locator(".panel")
        self.rows = self.element.locator(".row")
        self.titles = self.element.locator(".row bdi[dir]")
        self.toast = self.element.locator(".toast")

    def row(self, title: str) -> Locator:
        return self.rows.filter(has=self.page.get_by_text(title, exact=True))

    async def open(self) -> None:
        await self.button.click()
        await expect(self.panel).to_be_visible()

    async def shows(self, *titles: str) -> None:
        """Return when these are the rows, from the top."""
        await expect(self.titles).to_have_text(list(titles), timeout=PATIENCE)

    async def counts(self, count: int) -> None:
        """Return when the badge is this number."""
        if count:
            await expect(self.badge).to_have_text(str(count), timeout=PATIENCE)
        else:
            await expect(self.badge).to_be_hidden(timeout=PATIENCE)

    async def becomes(self, status: str) -> None:
        await self.page.wait_for_function(
            "status => document.querySelector('belfry-bell').status === status", arg=status, timeout=PATIENCE
        )

    async def said(self, name: str) -> list[Any]:
        """The details of the events of this name that the page heard, in order."""
        said: list[Any] = await self.page.evaluate("name => said.filter(e => e.name === name).map(e => e.detail)", name)
        return said

    async def arrivals(self) -> list[str]:
        return [item["title"] for item in await self.said("belfry:notification")]

    async def heard(self, titles: Sequence[str]) -> None:
        """Return when these, and only these, were announced, once each."""
        await self.page.wait_for_function(
            "n => said.filter(e => e.name === 'belfry:notification').length >= n", arg=len(titles), timeout=PATIENCE
        )
        assert sorted(await self.arrivals()) == sorted(titles)


class Chromium:
    """What `browser` makes profiles in: one for all of them, for starting one takes seconds of a core."""

    def __init__(self) -> None:
        self._open = AsyncExitStack()
        self._running: Browser | None = None

    async def running(self) -> Browser:
        if self._running is None:
            playwright = await self._open.enter_async_context(async_playwright())
            launched = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
            self._running = await self._open.enter_async_context(launched)
        return self._running

    async def close(self) -> None:
        self._running = None
        await self._open.aclose()


_chromium = Chromium()


@asynccontextmanager
async def chromium() -> AsyncIterator[None]:
    """End Chromium after the block, if it was needed there."""
    try:
        yield
    finally:
        await _chromium.close()


@asynccontextmanager
async def browser(**options: Any) -> AsyncIterator[BrowserContext]:
    """A person's browser: what one of them keeps, or says to its other tabs, no other sees."""
    context = await (await _chromium.running()).new_context(**options)
    try:
        yield context
    finally:
        await context.close()


@asynccontextmanager
async def own_browser(*, host: str = "", **options: Any) -> AsyncIterator[BrowserContext]:
    """As `browser`, in a process of its own: others may not alert. `host` is one more name of this machine."""
    arguments = [*ARGUMENTS, f"--host-resolver-rules=MAP {host} 127.0.0.1", NEIGHBOURS] if host else ARGUMENTS
    with tempfile.TemporaryDirectory() as profile:
        async with async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                profile, executable_path=CHROMIUM, headless=True, args=arguments, **options
            )
            try:
                yield context
            finally:
                await context.close()


async def log_in(context: BrowserContext, url: str, email: str) -> None:
    page = await context.new_page()
    await visit(page, f"{url}/page", "<!doctype html>")
    assert await page.evaluate(LOG_IN, [email, PASSWORD]) == 200
    await page.close()


async def bell(context: BrowserContext, url: str, *, status: str = "live", **page_options: Any) -> Bell:
    """A new tab on Belfry's own origin, with a bell that is connected, and then knows its count.

    A tab that shares another's stream is connected at once, and what arrives before it has asked is no news to it.
    """
    page = await context.new_page()
    page.on("pageerror", lambda error: print("page error:", error.stack))
    await visit(page, f"{url}/page", html(**page_options))
    tab = Bell(page)
    await tab.becomes(status)
    if status == "live":
        await page.wait_for_function("said.some(e => e.name === 'belfry:count')", timeout=PATIENCE)
    return tab


async def knows(person: Person, unread: int) -> None:
    """Wait until the server says so too: a page shows what was done before the server has been told."""

    async def says_so() -> bool:
        return await person.unread() == unread

    await eventually_yes(says_so)
