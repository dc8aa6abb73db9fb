"""Everything by keyboard alone, and axe finds nothing to complain about on any page."""

from typing import Any, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.pages.app.application import application, signed_in
from tests.pages.browser import browser, knows
from tests.people import PASSWORD, Person
from tests.realtime import chromium
from tests.serving import Serving

pytestmark = chromium.needed

DESK = {"width": 1280, "height": 800}
SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]


async def test_an_inbox_is_emptied_without_a_mouse(belfry: Serving, ada: Person, bob: Person) -> None:
    for title in ("One", "Two", "Three", "Four"):
        await ada.send(title, to=bob.id)
    async with browser() as context, application(context, belfry.url) as tab:
        page = tab.page
        await expect(tab.heading("Sign in")).to_be_visible()
        await tab.press("Tab", "Tab", "Tab")  # past "Skip to content" and our name
        await expect(page.get_by_label("E-mail address")).to_be_focused()
        await page.keyboard.type(bob.email)
        await tab.press("Tab")
        await page.keyboard.type(PASSWORD)
        await tab.press("Enter")
        await tab.shows("Four", "Three", "Two", "One")
        await expect(tab.heading("Inbox")).to_be_focused()

        await tab.press("j", "j")
        await expect(tab.row("Three").locator(".main")).to_be_focused()
        await tab.press("Enter")
        await expect(tab.detail.get_by_role("heading", name="Three")).to_be_visible()
        await knows(bob, 3)
        await tab.press("j")
        await expect(tab.detail.get_by_role("heading", name="Two")).to_be_visible()
        await tab.press("u")
        await knows(bob, 3)
        await tab.press("e")
        await expect(tab.detail.get_by_role("heading", name="One")).to_be_visible()
        await tab.shows("Four", "Three", "One")
        await tab.press("z")
        await tab.shows("Four", "Three", "Two", "One")
        await tab.press("Escape")
        await expect(page.get_by_text("Nothing open")).to_be_visible()
        await tab.press("k", "x", "k", "x")
        await expect(page.get_by_text("2 selected")).to_be_visible()
        await tab.press("e")
        await expect(tab.toast).to_contain_text("2 deleted")
        await page.evaluate("addEventListener('keydown', event => (window.taken = event.defaultPrevented))")
        await tab.press("A")  # as Caps Lock makes it of a small one
        assert not await page.evaluate("taken")
        await tab.press("Shift+A")
        await knows(bob, 0)
        await tab.press("/")
        await page.keyboard.type("jeku?")  # letters are letters where one types
        await expect(page.get_by_text("Nothing found")).to_be_visible()
        await tab.press("Escape")
        await expect(tab.rows).to_have_count(2)
        await tab.press("?")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await tab.press("j", "Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def complaints(page: Page) -> list[Any]:
    """What axe finds, in light and in dark."""
    complaints: list[Any] = []
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        axe = Axe("") if await page.evaluate("'axe' in window") else Axe()  # half a megabyte, once a tab
        found = (await axe.run(page, options={"resultTypes": ["violations"]})).response["violations"]
        complaints += [
            (scheme, each["id"], [(node["html"], node["any"] + node["all"]) for node in each["nodes"]])
            for each in found
        ]
    return complaints


async def test_axe_finds_nothing(belfry: Serving, ada: Person, bob: Person) -> None:
    await ada.send("Read", to=bob.id)
    await bob.mark("read", ids=[(await bob.inbox())["items"][0]["id"]])
    about = {"content": "A text", "link": "https://ci.example.com/", "priority": 5, "tags": ["ci"]}
    sent = await ada.send("With a link", to=bob.id, **about)
    await ada.broadcast("To all")
    async with browser(reduced_motion="reduce") as context, application(context, belfry.url) as tab:
        for path, title in [
            ("sign-in", "Sign in"),
            ("register", "Create an account"),
            ("forgot", "A new password"),
            ("reset/none", "This link does not work any more"),
            ("missing", "Nothing here"),
        ]:
            await tab.page.goto(f"{belfry.url}/#/{path}")
            await expect(tab.heading(title)).to_be_visible()
            assert await complaints(tab.page) == [], path
    async with signed_in(belfry.url, bob.email, viewport=DESK, reduced_motion="reduce") as tab:
        await tab.shows("To all", "With a link", "Read")
        await tab.row("Read").hover()
        assert await complaints(tab.page) == []
        await tab.press("j", "x")
        await tab.page.goto(f"{belfry.url}/#/n/{sent['id']}")
        await expect(tab.detail.get_by_role("heading", name="With a link")).to_be_visible()
        assert await complaints(tab.page) == []
        await tab.page.set_viewport_size({"width": 375, "height": 740})
        assert await complaints(tab.page) == []
        await tab.button("Menu").click()
        await expect(tab.page.get_by_role("link", name="Settings")).to_be_visible()
        assert await complaints(tab.page) == []
        await tab.page.get_by_role("link", name="Settings").click()
        await expect(tab.page.get_by_text("This one")).to_be_visible()
        assert await complaints(tab.page) == []
        await tab.button("Delete account").click()
        assert await complaints(tab.page) == []
        await tab.press("Escape")
        await tab.page.goto(f"{belfry.url}/#/nowhere")
        await expect(tab.heading("Nothing here")).to_be_visible()
        assert await complaints(tab.page) == []
