"""The whole main job, by clicking: an account, what arrives, reading, marking, deleting, and leaving again."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, expect

from tests.pages.app.application import Application, application, signed_in
from tests.pages.browser import browser, knows
from tests.people import PASSWORD, Person
from tests.realtime import chromium
from tests.realtime.raw import eventually_yes
from tests.serving import Serving

pytestmark = chromium.needed


@pytest.fixture
async def inbox(belfry: Serving, context: BrowserContext) -> AsyncIterator[Application]:
    """Bob's inbox."""
    async with application(context, belfry.url) as tab:
        yield tab


async def test_somebody_makes_an_account_and_uses_it(belfry: Serving, ada: Person) -> None:
    async with browser() as context, application(context, belfry.url) as tab:
        page = tab.page
        await page.get_by_role("link", name="Create an account").click()
        await expect(tab.heading("Create an account")).to_be_focused()
        await page.get_by_label("E-mail address").fill("grace@example.com")
        await page.get_by_label("Name").fill("Grace Hopper")
        await page.get_by_label("New password").fill("short")
        await tab.button("Create account").click()
        await expect(page.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_label("New password")).to_be_focused()
        await page.get_by_label("New password").fill(PASSWORD)
        await tab.button("Create account").click()
        await expect(page.get_by_text("All quiet")).to_be_visible()

        await ada.send("Build passed", to="grace@example.com", content="All 412 tests are green.")
        await ada.broadcast("Maintenance tonight")
        await tab.shows("Maintenance tonight", "Build passed")
        await tab.counts(2)
        await tab.row("Build passed").click()
        await expect(tab.detail.get_by_role("heading", name="Build passed")).to_be_visible()
        await expect(tab.detail.get_by_text("All 412 tests are green.")).to_be_visible()
        await expect(page).to_have_title("(1) Build passed · Belfry")
        await tab.counts(1)

        await tab.detail.get_by_role("button", name="Delete").click()
        await expect(tab.detail.get_by_role("heading", name="Maintenance tonight")).to_be_visible()
        await tab.shows("Maintenance tonight")
        await tab.toast.get_by_role("button", name="Undo").click()
        await tab.shows("Maintenance tonight", "Build passed")

        await tab.button("Sign out").click()
        await expect(tab.heading("Sign in")).to_be_visible()
        assert not (await page.title()).startswith("(")
        await expect(page.get_by_label("E-mail address")).to_have_value("")
        await page.get_by_label("E-mail address").fill("grace@example.com")
        await page.get_by_label("Password").fill("not the password")
        await tab.button("Sign in").click()
        await expect(page.get_by_role("alert")).to_have_text("The address or the password is wrong.")
        await page.get_by_label("Password").fill(PASSWORD)
        await tab.button("Sign in").click()
        await tab.shows("Maintenance tonight", "Build passed")


async def test_filters_search_and_selections(inbox: Application, ada: Person, bob: Person) -> None:
    for title in ("Deploy one", "Build two", "Deploy three"):
        await ada.send(title, to=bob.id)
    await ada.broadcast("Deploy four")
    await inbox.shows("Deploy four", "Deploy three", "Build two", "Deploy one")

    await inbox.page.get_by_label("Search titles").fill("DEPLOY")
    await inbox.shows("Deploy four", "Deploy three", "Deploy one")
    await expect(inbox.page.get_by_text("3 found")).to_be_visible()
    await inbox.page.get_by_label("Kind").select_option("personal")
    await inbox.shows("Deploy three", "Deploy one")
    await ada.send("Deploy five", to=bob.id)
    await ada.send("Build six", to=bob.id)
    await inbox.shows("Deploy five", "Deploy three", "Deploy one")
    assert re.search(r"#/\?type=personal&q=DEPLOY$", inbox.page.url)

    await inbox.row("Deploy five").locator(".pick").click()
    await inbox.row("Deploy one").locator(".pick").click()
    await expect(inbox.page.get_by_text("2 selected")).to_be_visible()
    await inbox.page.locator(".selection").get_by_role("button", name="Mark read").click()
    await knows(bob, 4)
    await inbox.page.locator(".segments").get_by_role("button", name="Unread").click()
    await inbox.shows("Deploy three")
    await inbox.row("Deploy three").hover()
    await inbox.row("Deploy three").get_by_role("button", name="Mark as read").click()
    await knows(bob, 3)
    await inbox.shows("Deploy three")  # it does not go from under the reader's hand
    await inbox.page.locator(".segments").get_by_role("button", name="Read", exact=True).click()
    await inbox.shows("Deploy five", "Deploy three", "Deploy one")

    await inbox.row("Deploy one").locator(".pick").click()
    await inbox.page.get_by_label("Select all that is loaded").click()
    await expect(inbox.page.get_by_text("3 selected")).to_be_visible()
    await inbox.page.locator(".selection").get_by_role("button", name="Delete").click()
    await expect(inbox.page.get_by_text("Nothing found")).to_be_visible()
    await expect(inbox.toast).to_contain_text("3 deleted")
    await inbox.is_in_order()
    await inbox.page.goto("about:blank")  # what was deleted stays so, however soon one leaves

    async def gone() -> bool:
        items = (await bob.inbox())["items"]
        return [item["title"] for item in items] == ["Build six", "Deploy four", "Build two"]

    await eventually_yes(gone)
    await inbox.page.go_back()
    await inbox.page.get_by_label("Search titles").fill("")


async def test_the_link_of_a_mail_opens_what_it_is_about(belfry: Serving, ada: Person, bob: Person) -> None:
    """Before one has signed in, too. What is not one's own is not there."""
    sent = await ada.send("Far away", to=bob.id)
    foreign = await ada.send("Not for Bob")
    async with browser() as context, application(context, belfry.url, f"#/n/{sent['id']}") as tab:
        await tab.page.get_by_label("E-mail address").fill(bob.email)
        await tab.page.get_by_label("Password").fill(PASSWORD)
        await tab.button("Sign in").click()
        await expect(tab.detail.get_by_role("heading", name="Far away")).to_be_visible()
        await knows(bob, 0)
        await tab.page.goto(f"{belfry.url}/#/n/{foreign['id']}")
        await expect(tab.detail.get_by_text("Not here any more")).to_be_visible()
        await tab.page.goto(f"{belfry.url}/#/queue-of-somebody")
        await expect(tab.heading("Nothing here")).to_be_visible()


async def test_settings_are_kept_and_other_logins_ended(belfry: Serving, bob: Person) -> None:
    async with signed_in(belfry.url, bob.email, "#/settings") as tab:
        page = tab.page
        await page.get_by_label("Name").fill("Bob <b>Builder</b>")
        await page.get_by_label("Language").select_option("zh-Hans")
        await page.get_by_label("Time zone").select_option("Asia/Shanghai")
        await tab.button("Save").click()
        await expect(tab.heading("设置")).to_be_visible()
        await expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        await expect(page.locator(".who bdi")).to_have_text("Bob <b>Builder</b>")
        await page.get_by_label("姓名").fill("Bob\u2028Builder")
        await tab.button("保存").click()
        await expect(page.get_by_text("应为一行非空文本，不含控制字符")).to_be_visible()  # noqa: RUF001
        await page.get_by_label("姓名").fill("Bob <b>Builder</b>")
        await page.get_by_label("语言").select_option("en")
        await tab.button("保存").click()
        await expect(tab.heading("Settings")).to_be_visible()
        me = await bob.get("/v1/me")
        assert (me["display_name"], me["time_zone"], me["language"]) == ("Bob <b>Builder</b>", "Asia/Shanghai", "en")

        await page.get_by_label("Dark").check()
        assert await page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
        await page.reload()
        await expect(page.get_by_label("Dark")).to_be_checked()

        await expect(page.get_by_text("This one")).to_be_visible()
        await page.get_by_role("button", name="Sign out: ").first.click()
        await expect(page.get_by_role("button", name="Sign out: ")).to_have_count(0)
        assert (await bob.client.get("/v1/me")).status_code == 401

        card = page.locator(".card", has=page.get_by_role("heading", name="Password"))
        await card.get_by_label("Current password").fill("wrong")
        await card.get_by_label("New password").fill("another good password")
        await card.get_by_role("button", name="Change password").click()
        await expect(card.get_by_text("This is not your password.")).to_be_visible()
        await card.get_by_label("Current password").fill(PASSWORD)
        await card.get_by_role("button", name="Change password").click()
        await expect(tab.toast).to_contain_text("The password is changed.")

        await tab.button("Delete account").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Current password").fill("another good password")
        await dialog.get_by_role("button", name="Delete account").click()
        await expect(tab.heading("Sign in")).to_be_visible()
    async with belfry.anonymous() as client:
        answer = await client.post("/v1/auth/login", json={"email": bob.email, "password": "another good password"})
        assert answer.status_code == 401
