"""The bell on Belfry's own pages: what comes, comes by itself, and stays right when the connection does not."""

import signal

import msgspec
from playwright.async_api import BrowserContext, Route, expect
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from tests.pages.browser import PATIENCE, bell, browser, knows, log_in
from tests.people import Person
from tests.processes import web
from tests.realtime import chromium
from tests.serving import Serving, serving

pytestmark = chromium.needed


async def test_what_arrives_is_there_at_once(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    await ada.send("Before", to=bob.id)
    tab = await bell(context, belfry.url)
    await tab.counts(1)
    await tab.open()
    await tab.shows("Before")

    await ada.send("Live", to=bob.id)
    await ada.broadcast("To all")

    await tab.shows("To all", "Live", "Before")
    await tab.counts(3)
    await knows(bob, 3)
    assert await tab.arrivals() == ["Live", "To all"]
    assert (await tab.said("belfry:count"))[-1] == {"count": 3}


async def test_the_badge_is_the_servers_count_whatever_is_done(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    tab = await bell(context, belfry.url)
    await tab.counts(0)
    first = await ada.send("First", to=bob.id)
    notice = await ada.broadcast("To all")
    await ada.send("Last", to=bob.id)
    await tab.counts(3)

    for how, ids, count in [
        ("read", [first["id"], notice["id"]], 1),
        ("unread", [notice["id"]], 2),
        ("delete", [notice["id"]], 1),
        ("unread", [first["id"]], 2),
    ]:
        assert await bob.mark(how, ids=ids) == count
        await tab.counts(count)


async def test_a_badge_of_many_says_so(belfry: Serving, context: BrowserContext, ada: Person, bob: Person) -> None:
    for _ in range(100):
        await ada.send(to=bob.id, channels=["inbox"])
    tab = await bell(context, belfry.url)

    await expect(tab.badge).to_have_text("99+")
    assert await tab.button.get_attribute("aria-label") == "Notifications, 100 unread"


async def test_a_restart_of_the_server_loses_nothing(
    settings: Settings, db: Database, belfry: Serving, ada: Person, bob: Person
) -> None:
    """`belfry` serves the same database while the process that the browser knows is away."""
    async with web(settings) as process, browser() as context:
        await log_in(context, process.url, bob.email)
        tab = await bell(context, process.url)
        expected = ["live"]
        await ada.send("live", to=bob.id)
        for how in (signal.SIGTERM, signal.SIGKILL):
            await process.end(how)
            await ada.send(f"missed by {how.name}", to=bob.id)
            await ada.broadcast(f"missed by all: {how.name}")
            await process.start()
            await tab.becomes("live")
            await ada.send(f"after {how.name}", to=bob.id)
            expected += [f"missed by {how.name}", f"missed by all: {how.name}", f"after {how.name}"]
            await tab.heard(expected)
        await tab.counts(len(expected))
        await tab.open()
        await tab.shows(*reversed(expected))


async def test_offline_is_said_quietly_and_made_up_for(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    await ada.send("Before", to=bob.id)
    tab = await bell(context, belfry.url)
    await tab.open()
    await tab.shows("Before")

    await context.set_offline(True)
    await expect(tab.panel.get_by_text("Offline. Will catch up.")).to_be_visible(timeout=PATIENCE)
    await tab.row("Before").get_by_role("button", name="Mark as read: Before").click()
    await tab.counts(0)
    await ada.send("Missed", to=bob.id)
    await knows(bob, 2)
    await context.set_offline(False)

    await tab.becomes("live")
    await expect(tab.panel.get_by_text("Offline")).to_be_hidden()
    await tab.shows("Missed", "Before")
    await tab.counts(1)
    await knows(bob, 1)


AGE = text("UPDATE notifications SET visible_at = visible_at - interval '1 hour' WHERE id = :id")


async def test_what_was_only_marked_meanwhile_is_no_news(
    belfry: Serving, context: BrowserContext, db: Database, ada: Person, bob: Person
) -> None:
    """It comes as a whole, as if it had arrived, and this tab has never seen it."""
    old = await ada.send("Old", to=bob.id)
    async with db.statement() as tx:
        await tx.execute(AGE, old)
    await bob.mark("read", ids=[old["id"]])
    tab = await bell(context, belfry.url)
    await context.set_offline(True)
    await tab.becomes("offline")
    await bob.mark("unread", ids=[old["id"]])
    await ada.send("Missed", to=bob.id)
    await context.set_offline(False)

    await tab.counts(2)
    await tab.heard(["Missed"])


# Whoever comes back to a tab is not kept waiting.
HURRY = "void setInterval(() => document.dispatchEvent(new Event('visibilitychange')), 50)"


async def test_what_answers_in_belfrys_place_is_waited_out(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    """As during a deploy: a page that says so where JSON should stand, and the stream is refused."""
    answered: list[str] = []

    async def back_soon(route: Route) -> None:
        answered.append("a page")
        await route.fulfill(body="<!doctype html><title>Back soon</title>", content_type="text/html")

    async def refuse(route: Route) -> None:
        answered.append("503")
        await route.fulfill(status=503, body="no upstream")

    await ada.send("Before", to=bob.id)
    await context.route("**/v1/me", back_soon, times=1)
    leader = await bell(context, belfry.url)
    await context.route("**/v1/stream?poll=1*", back_soon, times=1)
    other = await bell(context, belfry.url)
    await other.counts(1)

    await context.route("**/v1/me", back_soon, times=1)
    await context.route("**/v1/stream?*", refuse, times=2)
    await leader.page.evaluate(HURRY)
    await leader.page.evaluate("dispatchEvent(new Event('online'))")  # another network: the stream is opened anew
    await ada.send("Meanwhile", to=bob.id)
    for tab in (leader, other):
        await tab.heard(["Meanwhile"])
        await tab.becomes("live")
        await tab.counts(2)
    assert answered == ["a page", "a page", "a page", "503", "503"]


KEEPING = """async () => {
    const { Store } = await import('/bell/store.js');
    const store = new Store();
    store.begin(0, 0);
    const item = id => ({id, state: 'unread', created_at: new Date(id * 1000).toISOString()});
    for (let id = 1; id <= 600; id++) store.apply([{name: 'notification', data: item(id)}], {});
    const kept = [store.items.length, store.items.at(-1).id];
    store.begin(0, 0);
    const forgotten = [store.get(600), store.stateOf(600)];
    store.apply([{name: 'state', data: {state: 'read', ids: [600]}}], {});
    return [...kept, ...forgotten, store.stateOf(600)];
}"""


async def test_of_what_nobody_looks_at_only_the_newest_is_kept(belfry: Serving, context: BrowserContext) -> None:
    """But how it stands is known as long as one listens: its alert is still to be closed."""
    tab = await bell(context, belfry.url)
    assert await tab.page.evaluate(KEEPING) == [500, 101, None, "unread", "read"]


async def test_more_than_can_be_replayed_is_loaded_anew(settings: Settings, db: Database) -> None:
    brief = msgspec.structs.replace(settings, replay_limit=3)
    async with (
        serving(brief) as belfry,
        belfry.person("ada@example.com", role="sender") as ada,
        belfry.person("bob@example.com") as bob,
        browser() as context,
    ):
        await log_in(context, belfry.url, bob.email)
        gone = await ada.send("Gone", to=bob.id)
        tab = await bell(context, belfry.url)
        await tab.open()
        await tab.shows("Gone")
        await context.set_offline(True)
        await tab.becomes("offline")
        await bob.mark("delete", ids=[gone["id"]])
        for number in range(4):
            await ada.send(f"Missed {number}", to=bob.id)
        await context.set_offline(False)

        await tab.shows("Missed 3", "Missed 2", "Missed 1", "Missed 0")
        await tab.counts(4)
