"""Alerts on the desktop: one for the whole browser, where nobody looks already."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, expect

from tests.pages.browser import PATIENCE, Bell, bell, log_in, own_browser
from tests.people import Person
from tests.realtime import chromium
from tests.serving import Serving

pytestmark = chromium.needed

# The browser's own alerts, written down: nobody can look at a desktop here.
RECORD = """
window.shown = [];
window.gone = [];
window.asked = 0;
window.looked = 0;
window.Notification = class extends Notification {
  constructor(title, options) { super(title, options); shown.push(this); }
  close() { gone.push(this.title); super.close(); }
  static requestPermission() { asked++; return super.requestPermission(); }
};
const query = navigator.locks.query.bind(navigator.locks);
navigator.locks.query = async () => { try { return await query(); } finally { looked++; } };
"""
DESKTOP = {"channels": ["inbox", "desktop"]}


@pytest.fixture
async def context(belfry: Serving, bob: Person) -> AsyncIterator[BrowserContext]:
    async with own_browser() as context:
        await context.add_init_script(RECORD)
        await log_in(context, belfry.url, bob.email)
        yield context


@pytest.fixture
async def allowed(context: BrowserContext) -> None:
    await context.grant_permissions(["notifications"])


async def shown(*tabs: Bell) -> list[str]:
    return [title for tab in tabs for title in await tab.page.evaluate("shown.map(alert => alert.title)")]


async def alerts(tab: Bell, count: int) -> None:
    await tab.page.wait_for_function("count => shown.length >= count", arg=count, timeout=PATIENCE)


async def looked(tab: Bell, times: int) -> None:
    """Return when the tab has decided so many times whether to alert."""
    await tab.page.wait_for_function("times => looked >= times", arg=times, timeout=PATIENCE)


async def test_the_browser_asks_only_after_a_click_on_the_offer(belfry: Serving, context: BrowserContext) -> None:
    tab = await bell(context, belfry.url)
    await tab.open()
    offer = tab.element.locator(".offer")
    await expect(offer).to_be_visible()
    assert await tab.page.evaluate("asked") == 0

    await context.grant_permissions(["notifications"])
    await offer.get_by_role("button", name="Turn on").click()
    await expect(offer).to_be_hidden()
    assert await tab.page.evaluate("asked") == 1


async def test_who_says_not_now_is_left_alone(belfry: Serving, context: BrowserContext) -> None:
    tab = await bell(context, belfry.url)
    await tab.open()
    await tab.element.locator(".offer").get_by_role("button", name="Not now").click()
    await expect(tab.element.locator(".offer")).to_be_hidden()
    await tab.page.keyboard.press("Escape")  # keys are still the panel's
    await expect(tab.panel).to_be_hidden()

    other = await bell(context, belfry.url)
    await other.open()
    await expect(other.element.locator(".offer")).to_be_hidden()
    assert await other.page.evaluate("asked") == 0


@pytest.mark.usefixtures("allowed")
async def test_an_alert_is_shown_once_whatever_the_number_of_tabs(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    first, second = [await bell(context, belfry.url) for _ in range(2)]
    await ada.send("No alert", to=bob.id)
    await ada.send("Alert", to=bob.id, **DESKTOP)
    await alerts(first, 1)
    await ada.send("Urgent", to=bob.id, priority=5)
    await alerts(first, 2)
    await ada.post("/v1/alerts", 202, to=bob.id, title="Kept nowhere")
    await alerts(first, 3)
    await second.heard(["No alert", "Alert", "Urgent"])

    assert await shown(first, second) == ["Alert", "Urgent", "Kept nowhere"]


@pytest.mark.usefixtures("allowed")
async def test_there_is_none_while_somebody_looks_at_the_panel_in_any_tab(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    leader, other = [await bell(context, belfry.url) for _ in range(2)]
    await other.open()
    await ada.send("Seen", to=bob.id, **DESKTOP)
    await looked(leader, 1)
    await other.page.keyboard.press("Escape")
    await expect(other.panel).to_be_hidden()
    await ada.send("Not seen", to=bob.id, **DESKTOP)
    await alerts(leader, 1)

    assert await shown(leader, other) == ["Not seen"]


@pytest.mark.usefixtures("allowed")
async def test_it_goes_when_its_item_is_read_elsewhere(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    tab = await bell(context, belfry.url)
    await ada.send("Stays", to=bob.id, **DESKTOP)
    await alerts(tab, 1)
    read = await ada.send("Read elsewhere", to=bob.id, **DESKTOP)
    await alerts(tab, 2)
    await bob.mark("read", ids=[read["id"]])
    await tab.page.wait_for_function("gone.length")

    assert await tab.page.evaluate("gone") == ["Read elsewhere"]


@pytest.mark.usefixtures("allowed")
async def test_a_click_opens_its_link_and_marks_it_read(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    tab = await bell(context, belfry.url)
    await ada.send("Look", to=bob.id, link=f"{belfry.url}/health/live", **DESKTOP)
    await alerts(tab, 1)
    async with context.expect_page() as opened:
        await tab.page.evaluate("shown[0].dispatchEvent(new Event('click'))")

    assert (await opened.value).url == f"{belfry.url}/health/live"
    await tab.counts(0)


@pytest.mark.parametrize(("missed", "said"), [(5, ["0", "1", "2", "3", "4"]), (6, ["6 new notifications"])])
@pytest.mark.usefixtures("allowed")
async def test_many_that_were_missed_are_one(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person, missed: int, said: list[str]
) -> None:
    tab = await bell(context, belfry.url)
    await context.set_offline(True)
    await tab.becomes("offline")
    for number in range(missed):
        await ada.send(str(number), to=bob.id, **DESKTOP)
    await context.set_offline(False)
    await alerts(tab, len(said))
    await tab.counts(missed)

    assert await shown(tab) == said


async def test_plain_http_is_said_to_be_the_reason_and_all_else_works(
    belfry: Serving, ada: Person, bob: Person
) -> None:
    """Browsers give pages by plain http neither alerts nor locks, unless they are this machine's own."""
    url = belfry.url.replace("127.0.0.1", "belfry.test")
    async with own_browser(host="belfry.test") as context:
        await log_in(context, url, bob.email)
        tab, other = [await bell(context, url) for _ in range(2)]
        await ada.send("Hello", to=bob.id, **DESKTOP)
        await other.heard(["Hello"])
        await tab.open()
        await tab.shows("Hello")

        assert belfry.given.live.hub.open == 2
        assert not await tab.page.evaluate("isSecureContext || 'locks' in navigator")
        await expect(tab.element.locator(".offer")).to_have_text("Desktop alerts need https.")
