"""The application in Chromium: a tab of it, and what a test asks of one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.pages.browser import PATIENCE, browser, log_in

WATCH = """window.violations = [];
addEventListener('securitypolicyviolation', ({violatedDirective, blockedURI}) =>
    violations.push(`${violatedDirective} ${blockedURI}`));"""


class Application:
    """A tab with the application."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows = page.locator(".row")
        self.titles = page.locator(".row .main bdi")
        self.badge = page.locator("#nav .badge")
        self.toast = page.locator(".toast")
        self.detail = page.locator(".detail")
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error.stack)))

    def row(self, title: str) -> Locator:
        return self.rows.filter(has=self.page.get_by_text(title, exact=True))

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, exact=True)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def shows(self, *titles: str) -> None:
        """Return when these are the rows, from the top."""
        await expect(self.titles).to_have_text(list(titles), timeout=PATIENCE)

    async def counts(self, count: int) -> None:
        """Return when sidebar, title and icon of the tab carry this number."""
        if count:
            await expect(self.badge).to_have_text(str(count), timeout=PATIENCE)
        else:
            await expect(self.badge).to_be_hidden(timeout=PATIENCE)
        title = await self.page.title()
        assert title.startswith(f"({count}) ") if count else not title.startswith("("), title
        icon = await self.page.locator("link[rel=icon]").get_attribute("href")
        assert icon is not None
        assert icon.endswith(f"icon.svg?unread={count}" if count else "icon.svg")

    async def becomes(self, status: str) -> None:
        await expect(self.page.locator(".frame")).to_have_attribute("data-status", status, timeout=PATIENCE)

    async def is_in_order(self) -> None:
        """Nothing was forbidden by our own policy, and nothing was thrown."""
        assert await self.page.evaluate("violations") == []
        assert self.errors == []


@asynccontextmanager
async def application(context: BrowserContext, url: str, path: str = "") -> AsyncIterator[Application]:
    """A new tab. What is wrong with it at the end fails the test."""
    page = await context.new_page()
    await page.add_init_script(WATCH)
    tab = Application(page)
    await page.goto(f"{url}/{path}")
    yield tab
    await tab.is_in_order()


@asynccontextmanager
async def signed_in(url: str, email: str, path: str = "", **options: Any) -> AsyncIterator[Application]:
    """A browser of somebody who has signed in, with one tab."""
    async with browser(**options) as context:
        await log_in(context, url, email)
        async with application(context, url, path) as tab:
            yield tab
