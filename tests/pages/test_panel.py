"""What is in the panel, and what can be done there."""

import pytest
from playwright.async_api import BrowserContext, expect

from tests.pages.browser import PATIENCE, bell, knows
from tests.people import Person
from tests.realtime import chromium
from tests.serving import Serving

pytestmark = chromium.needed

HOSTILE = {
    "<script>window.hit = 1</script>": "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>": "<img src=x onerror='window.hit = 1'>",
    "</p></bdi><svg onload='window.hit = 1'>": "</p></bdi><svg onload='window.hit = 1'>",
    "{{constructor.constructor('window.hit = 1')()}}": "{{constructor.constructor('window.hit = 1')()}}",
    "&lt;b&gt;bold&lt;/b&gt;": "&lt;b&gt;bold&lt;/b&gt;",
    "pay\u200bpal\u2060.com\ufeff": "paypal.com",
    "invoice\u202efdp.exe": "invoicefdp.exe",
    "\u2066hidden\u2069\u200e": "hidden",
    "\u200b\u202e\u2060": "Without a title",
    "a" + "\u0301" * 40: "a" + "\u0301" * 3,
    "family 👨‍👩‍👧": "family 👨‍👩‍👧",
    "tag\U000e0041\U000e0042": "tag",
    "\u034f\u17b4\u2800\ufe00\U000e0100": "Without a title",
}


async def test_hostile_text_is_text(belfry: Serving, context: BrowserContext, ada: Person, bob: Person) -> None:
    for title in HOSTILE:
        await ada.send(title, to=bob.id, content=title, channels=["inbox"])
    async with belfry.person("<b>@example.com", name="<img src=x onerror='window.hit = 1'>", role="sender") as eve:
        await eve.send("By whom?", to=bob.id, tags=["<script>"])
    tab = await bell(context, belfry.url)
    await tab.open()

    await tab.shows("By whom?", *reversed(HOSTILE.values()))
    assert await tab.page.evaluate("window.hit") is None
    assert await tab.element.locator(".row img, .row script, .row b").count() == 0
    for shown in await tab.titles.all():
        assert await shown.evaluate("e => [e.dir, getComputedStyle(e).unicodeBidi]") == ["auto", "isolate"]


async def test_a_link_opens_in_a_tab_of_its_own_and_marks_read(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    await ada.send("Look", to=bob.id, link=f"{belfry.url}/health/live")
    tab = await bell(context, belfry.url)
    await tab.open()
    async with context.expect_page() as opened:
        await tab.panel.get_by_role("link", name="Look").click()

    await tab.counts(0)
    page = await opened.value
    assert page.url == f"{belfry.url}/health/live"
    assert await page.evaluate("opener") is None
    await tab.page.wait_for_function("document.querySelector('belfry-bell').items[0].state === 'read'")
    await knows(bob, 0)


async def test_lists_go_on_for_as_long_as_one_scrolls(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    titles = [f"Number {number}" for number in range(70)]
    for title in titles:
        await ada.send(title, to=bob.id, channels=["inbox"])
    tab = await bell(context, belfry.url)
    await tab.open()
    await expect(tab.row("Number 69")).to_be_visible()
    while await tab.rows.count() < len(titles):
        before = await tab.rows.count()
        await tab.rows.last.scroll_into_view_if_needed()
        await expect(tab.rows).not_to_have_count(before, timeout=PATIENCE)

    await tab.shows(*reversed(titles))
    assert await tab.element.locator(".end").is_hidden()


async def test_the_tabs_show_all_unread_and_broadcasts(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    read = await ada.send("Read", to=bob.id)
    await ada.send("Unread", to=bob.id)
    await ada.broadcast("To all")
    await bob.mark("read", ids=[read["id"]])
    tab = await bell(context, belfry.url)
    await tab.open()
    await tab.shows("To all", "Unread", "Read")

    await tab.panel.get_by_role("tab", name="Unread").click()
    await tab.shows("To all", "Unread")
    await tab.row("Unread").get_by_role("button", name="Mark as read").click()
    await tab.shows("To all")
    await tab.panel.get_by_role("tab", name="Broadcasts").click()
    await tab.shows("To all")
    await ada.send("Not to all", to=bob.id)
    await tab.counts(2)
    await tab.shows("To all")
    await tab.panel.get_by_role("tab", name="All").click()
    await tab.shows("Not to all", "To all", "Unread", "Read")


async def test_an_empty_list_says_so_in_its_own_words(belfry: Serving, context: BrowserContext) -> None:
    tab = await bell(context, belfry.url)
    await tab.open()
    for name, headline in [("All", "All quiet"), ("Unread", "Nothing unread"), ("Broadcasts", "No broadcasts")]:
        await tab.panel.get_by_role("tab", name=name).click()
        await expect(tab.panel.get_by_text(headline)).to_be_visible()


async def test_everything_can_be_done_with_the_keyboard(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    for title in ("One", "Two", "Three"):
        await ada.send(title, to=bob.id)
    tab = await bell(context, belfry.url)
    keys = tab.page.keyboard
    focused = "document.querySelector('belfry-bell').shadowRoot.activeElement?.textContent"

    await tab.page.locator("#before").focus()
    await keys.press("Tab")
    await keys.press("Enter")
    await tab.shows("Three", "Two", "One")
    assert await tab.panel.evaluate("e => e.matches(':focus')")
    await keys.press("ArrowDown")
    await keys.press("ArrowDown")
    assert "Two" in await tab.page.evaluate(focused)
    await keys.press("Enter")
    await tab.counts(2)
    await keys.press("End")
    assert "One" in await tab.page.evaluate(focused)
    await keys.press("Delete")
    await tab.shows("Three", "Two")
    assert "Two" in await tab.page.evaluate(focused)
    await tab.toast.get_by_role("button", name="Undo").focus()
    await keys.press("Enter")
    await tab.shows("Three", "Two", "One")
    assert "One" in await tab.page.evaluate(focused)

    await tab.panel.get_by_role("tab", name="All").focus()
    await keys.press("ArrowRight")
    await tab.shows("Three", "One")
    await tab.panel.get_by_role("button", name="Mark all read").focus()
    await keys.press("Enter")  # and the button goes
    await tab.counts(0)
    assert await tab.panel.evaluate("e => e.matches(':focus')")
    await keys.press("Escape")
    await expect(tab.panel).to_be_hidden()
    assert await tab.button.evaluate("e => e.matches(':focus')")
    await keys.press("Enter")
    await tab.button.focus()
    await keys.press("Escape")
    await expect(tab.panel).to_be_hidden()
    await keys.press("Enter")
    await keys.press("Shift+Tab")
    await keys.press("Shift+Tab")
    await expect(tab.panel).to_be_hidden()
    assert await tab.page.locator("#before").evaluate("e => e.matches(':focus')")


async def test_a_press_elsewhere_closes_the_panel(belfry: Serving, context: BrowserContext) -> None:
    tab = await bell(context, belfry.url)
    await tab.open()
    await tab.panel.get_by_role("heading").click()
    await expect(tab.panel).to_be_visible()
    await tab.page.locator("#before").click()
    await expect(tab.panel).to_be_hidden()


async def test_an_arrival_is_read_out(belfry: Serving, context: BrowserContext, ada: Person, bob: Person) -> None:
    tab = await bell(context, belfry.url)
    await ada.send("Build passed", to=bob.id)

    await expect(tab.element.locator("[aria-live=polite]")).to_have_text("New notification: Build passed")
    await expect(tab.button).to_have_accessible_name("Notifications, 1 unread")


@pytest.mark.parametrize(("lang", "title"), [("en", "Notifications"), ("zh-CN", "通知"), ("de", "Notifications")])
async def test_it_speaks_the_language_of_its_page(
    belfry: Serving, context: BrowserContext, lang: str, title: str
) -> None:
    tab = await bell(context, belfry.url, lang=lang)
    await tab.open()
    await expect(tab.panel.get_by_role("heading")).to_have_text(title)

    await tab.element.evaluate("e => e.lang = 'zh'")
    await expect(tab.panel.get_by_role("heading")).to_have_text("通知")
    await expect(tab.panel).to_be_visible()


async def test_pages_use_it_from_their_own_scripts(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    await ada.send("Not loaded", to=bob.id)
    tab = await bell(context, belfry.url)
    await tab.counts(1)
    await tab.element.evaluate("e => e.markAllRead()")
    await tab.counts(0)
    await knows(bob, 0)
    await tab.element.evaluate("e => e.open()")
    await tab.shows("Not loaded")
    assert await tab.element.evaluate("e => [e.isOpen, e.count, e.items.length]") == [True, 0, 1]
    await tab.element.evaluate("e => e.close()")
    await expect(tab.panel).to_be_hidden()
    await tab.element.evaluate("e => e.remove()")
    assert (
        await tab.page.evaluate("navigator.locks.query().then(({held, pending}) => held.length + pending.length)") == 0
    )
