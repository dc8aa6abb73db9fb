"""How the application begins: with as few questions as it takes, and true whichever answer comes first."""

import asyncio
from collections import Counter
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Request, Route, expect

from tests.pages.app.application import Application, signed_in
from tests.pages.browser import PATIENCE, log_in
from tests.people import PASSWORD, Person
from tests.realtime import chromium
from tests.serving import Serving

pytestmark = chromium.needed

LIST, STREAM = "**/v1/notifications?*", "**/v1/stream*"


class Gate:
    """Requests that the test lets go on. With `answered` they have their answer by then, and only do not get it."""

    def __init__(self, *, answered: bool = False) -> None:
        self.open = asyncio.Event()
        self.reached = asyncio.Event()
        self._answered = answered

    async def hold(self, route: Route) -> None:
        answer = await route.fetch() if self._answered and not self.open.is_set() else None
        self.reached.set()
        await self.open.wait()
        await (route.fulfill(response=answer) if answer else route.continue_())


async def begin(context: BrowserContext, url: str) -> Application:
    tab = Application(await context.new_page())
    await tab.page.goto(url, wait_until="commit")
    return tab


async def test_each_thing_is_asked_for_once(belfry: Serving, ada: Person, bob: Person) -> None:
    await ada.send("Here", to=bob.id)
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(urlsplit(request.url).path.removeprefix("/"))

    async with signed_in(belfry.url, bob.email, "health/live") as tab:
        tab.page.on("request", note)
        await tab.page.goto(belfry.url)
        await tab.shows("Here")
        await tab.becomes("live")

    counts = Counter(asked)
    assert counts["v1/me"] == counts["v1/notifications"] == counts["v1/stream"] == 1
    assert {path for path, times in counts.items() if times > 1} == {"app/icon.svg"}  # and once with the number


async def test_what_comes_before_the_stream_is_open_is_not_missed(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    await ada.send("Before", to=bob.id)
    gate = Gate()
    await context.route(STREAM, gate.hold)
    tab = await begin(context, belfry.url)
    await tab.shows("Before")
    await tab.counts(1)
    await gate.reached.wait()
    await ada.send("Meanwhile", to=bob.id)
    await ada.broadcast("To all")
    gate.open.set()

    await tab.shows("To all", "Meanwhile", "Before")
    await tab.counts(3)


@pytest.mark.parametrize("more", [True, False])
async def test_a_page_from_before_the_stream_began_is_asked_for_again_if_more_has_come(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person, more: bool
) -> None:
    await ada.send("Before", to=bob.id)
    page, stream = Gate(answered=True), Gate()
    lists: list[str] = []
    await context.route(LIST, page.hold)
    await context.route(STREAM, stream.hold)
    tab = Application(await context.new_page())
    tab.page.on("request", lambda request: lists.append(request.url) if "/v1/notifications?" in request.url else None)
    await tab.page.goto(belfry.url, wait_until="commit")
    await page.reached.wait()
    await stream.reached.wait()
    if more:
        await ada.send("Meanwhile", to=bob.id)
    stream.open.set()
    await tab.counts(1 + more)
    page.open.set()

    await tab.shows(*(["Meanwhile", "Before"] if more else ["Before"]))
    assert len(lists) == 1 + more


async def test_a_page_that_was_asked_for_another_user_is_not_where_one_begins(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    """Bob's answer comes when Ada is here, and nothing of hers is."""
    await ada.send("For Bob", to=bob.id)
    his, hers, stream = Gate(answered=True), Gate(), Gate()
    gates = iter([his, hers])

    async def hold_list(route: Route) -> None:
        await next(gates).hold(route)

    tab = Application(await context.new_page())
    await tab.page.route(LIST, hold_list)
    await tab.page.goto(belfry.url, wait_until="commit")
    await his.reached.wait()
    await tab.becomes("live")
    await tab.page.route(STREAM, stream.hold)
    await log_in(context, belfry.url, ada.email)
    await tab.page.evaluate("dispatchEvent(new Event('online'))")  # it connects anew, and asks who is here
    await hers.reached.wait()
    await stream.reached.wait()
    async with tab.page.expect_event("requestfinished", lambda request: "/v1/notifications?" in request.url):
        his.open.set()
    await tab.page.evaluate("new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)))")
    await tab.counts(0)
    stream.open.set()
    hers.open.set()
    await tab.becomes("live")
    await tab.counts(0)
    await expect(tab.rows).to_have_count(0)


async def test_whoever_signs_in_is_not_shown_what_was_asked_before(belfry: Serving, ada: Person, bob: Person) -> None:
    await ada.send("For Bob", to=bob.id)
    async with signed_in(belfry.url, bob.email) as tab:
        await tab.shows("For Bob")
        await tab.page.context.clear_cookies()
        await tab.page.reload()
        await expect(tab.heading("Sign in")).to_be_visible(timeout=PATIENCE)
        await tab.page.get_by_label("E-mail").fill(ada.email)
        await tab.page.get_by_label("Password").fill(PASSWORD)
        await tab.button("Sign in").click()
        await tab.becomes("live")
        await expect(tab.rows).to_have_count(0)
        await expect(tab.page.get_by_text("For Bob")).to_have_count(0)
