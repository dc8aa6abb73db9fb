"""One connection a browser, whatever the number of tabs; and all of them show the same."""

import asyncio

from playwright.async_api import BrowserContext, expect

from tests.pages.browser import Bell, bell, knows
from tests.people import PASSWORD, Person
from tests.realtime import chromium
from tests.realtime.chromium import LOG_IN
from tests.realtime.raw import eventually
from tests.serving import Serving

pytestmark = chromium.needed

LOG_OUT = "() => fetch('/v1/auth/logout', {method: 'POST', headers: {'content-type': 'application/json'}})"


async def shares(belfry: Serving, *tabs: Bell) -> None:
    """The tabs are connected, and there is one stream."""
    for tab in tabs:
        await tab.becomes("live")
    await eventually(lambda: belfry.given.live.hub.open == 1)


async def two_panels(belfry: Serving, context: BrowserContext, ada: Person, bob: Person) -> list[Bell]:
    """Two tabs with open panels, in which two notifications are unread."""
    await ada.send("One", to=bob.id)
    await ada.send("Two", to=bob.id)
    tabs = [await bell(context, belfry.url) for _ in range(2)]
    for tab in tabs:
        await tab.open()
        await tab.shows("Two", "One")
    return tabs


async def test_tabs_share_one_stream(belfry: Serving, context: BrowserContext, ada: Person, bob: Person) -> None:
    tabs = [await bell(context, belfry.url) for _ in range(3)]
    await shares(belfry, *tabs)

    await ada.send("One", to=bob.id)
    await ada.broadcast("Two")

    for tab in tabs:
        await tab.heard(["One", "Two"])
        await tab.counts(2)
    await eventually(lambda: belfry.given.live.hub.open == 1)


async def test_when_the_tab_that_holds_the_stream_closes_another_takes_over(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    """Notifications come all the while: none is lost, and none comes twice."""
    leader, second, third = [await bell(context, belfry.url) for _ in range(3)]
    closed = asyncio.Event()
    sent: list[str] = []

    async def send(prefix: str, count: int) -> None:
        for number in range(count):
            sent.append(f"{prefix} {number}")
            await (ada.broadcast(sent[-1]) if number % 3 == 2 else ada.send(sent[-1], to=bob.id))

    async def send_while_closing() -> None:
        while not closed.is_set():
            await send(f"meanwhile {len(sent)}", 3)

    await send("before", 5)
    sending = asyncio.create_task(send_while_closing())
    await second.page.wait_for_function("said.filter(e => e.name === 'belfry:notification').length > 8")
    await leader.page.close()
    await second.page.wait_for_function("n => said.length > n + 6", arg=len(sent) * 2)
    closed.set()
    await sending
    await send("after", 3)

    for tab in (second, third):
        await tab.heard(sent)
        await tab.page.wait_for_function("n => document.querySelector('belfry-bell').count === n", arg=len(sent))
    await shares(belfry, second, third)
    await knows(bob, len(sent))


async def test_a_tab_put_away_and_taken_up_again_has_missed_nothing(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    """As browsers do with a page one went back from (bfcache); the other tab takes the stream over meanwhile."""
    away, other = [await bell(context, belfry.url) for _ in range(2)]
    await ada.send("Both", to=bob.id)
    await away.heard(["Both"])
    await away.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    await ada.send("One", to=bob.id)
    await other.heard(["Both", "One"])
    assert await away.arrivals() == ["Both"]
    await away.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")

    await away.heard(["Both", "One"])
    await away.counts(2)
    await shares(belfry, away, other)


async def test_a_tab_that_was_frozen_with_the_stream_is_not_waited_for(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    """Browsers freeze tabs with all they hold. A tab somebody looks at takes the stream over."""
    leader, other = [await bell(context, belfry.url) for _ in range(2)]
    frozen = await context.new_cdp_session(leader.page)
    await frozen.send("Page.setWebLifecycleState", {"state": "frozen"})
    await ada.send("Meanwhile", to=bob.id)
    await other.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await other.heard(["Meanwhile"])
    await frozen.send("Page.setWebLifecycleState", {"state": "active"})
    await ada.send("Afterwards", to=bob.id)

    for tab in (leader, other):
        await tab.heard(["Meanwhile", "Afterwards"])
        await tab.counts(2)
    await eventually(lambda: belfry.given.live.hub.open == 1)


async def test_a_mark_in_one_tab_shows_in_the_others(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    first, second = await two_panels(belfry, context, ada, bob)

    await first.row("One").get_by_role("button", name="Mark as read").click()
    await expect(second.row("One").get_by_role("button", name="Mark as unread")).to_be_attached()
    await second.counts(1)
    await second.row("One").get_by_role("button", name="Mark as unread").click()
    await expect(first.row("One").get_by_role("button", name="Mark as read")).to_be_attached()
    await first.counts(2)
    await first.panel.get_by_role("button", name="Mark all read").click()
    await second.counts(0)

    await knows(bob, 0)


async def test_what_is_deleted_can_be_brought_back_until_it_is_gone_everywhere(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    first, second = await two_panels(belfry, context, ada, bob)

    await first.row("One").get_by_role("button", name="Delete").click()
    await first.shows("Two")
    await first.counts(1)
    await first.toast.get_by_role("button", name="Undo").click()
    await first.shows("Two", "One")
    await first.counts(2)
    await expect(first.toast).to_be_hidden()

    await first.row("One").get_by_role("button", name="Delete").click()
    await first.page.keyboard.press("Escape")
    await second.shows("Two")
    await second.counts(1)
    assert [item["title"] for item in (await bob.inbox())["items"]] == ["Two"]


async def test_nobody_else_in_this_browser_hears_what_is_bobs(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    """He logs out: nothing of his is shown. Eve logs in: his tab shows what is hers."""
    tab = await bell(context, belfry.url)
    await ada.send("For Bob", to=bob.id)
    await tab.open()
    await tab.shows("For Bob")
    async with belfry.person("eve@example.com") as eve:
        await ada.send("For Eve", to=eve.id)
        await tab.page.evaluate(LOG_OUT)
        await tab.becomes("signed-out")
        await expect(tab.panel.get_by_text("Not logged in")).to_be_visible()
        assert await tab.element.evaluate("e => [e.count, e.items.length]") == [None, 0]
        assert await tab.page.evaluate(LOG_IN, [eve.email, PASSWORD]) == 200
        await tab.shows("For Eve")
        await tab.counts(1)
        await ada.send("For Bob again", to=bob.id)
        await ada.send("For Eve again", to=eve.id)
        await tab.shows("For Eve again", "For Eve")


async def test_who_logs_in_again_finds_everything(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    tabs = [await bell(context, belfry.url) for _ in range(2)]
    await ada.send("Before", to=bob.id)
    for tab in tabs:
        await tab.counts(1)
    await tabs[0].page.evaluate(LOG_OUT)
    for tab in tabs:
        await tab.becomes("signed-out")
        await tab.counts(0)
    await ada.send("Meanwhile", to=bob.id)
    assert await tabs[0].page.evaluate(LOG_IN, [bob.email, PASSWORD]) == 200

    for tab in tabs:
        await tab.counts(2)
    await shares(belfry, *tabs)
    await tabs[1].open()
    await tabs[1].shows("Meanwhile", "Before")
