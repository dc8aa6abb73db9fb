"""What links in mails lead to: a new password, an invitation, a confirmed address. Each works once."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from playwright.async_api import BrowserContext, Page, expect

from belfry.settings import Settings
from db import Database
from tasks.context import open_context
from tests.mailing import Mailboxes
from tests.pages.app.application import application, signed_in
from tests.pages.browser import browser
from tests.people import PASSWORD, Person
from tests.realtime import chromium
from tests.serving import Serving, serving
from tests.smtp_sink import Sink

pytestmark = chromium.needed


@pytest.fixture
async def mailboxes(settings: Settings, db: Database, sink: Sink) -> AsyncIterator[Mailboxes]:
    """What a worker has sent; `context` is a browser here."""
    async with open_context(settings) as context:
        yield Mailboxes(context, sink)


NEW = "a longer and a better one"


async def shown_once(page: Page, purpose: str) -> None:
    """The token is neither in the address bar nor lost by a reload."""
    assert page.url.endswith(f"/#/{purpose}")
    await page.reload()


@pytest.mark.usefixtures("turns_stay_used")
async def test_a_forgotten_password_is_replaced_and_that_lets_in_whom_the_guesses_of_others_keep_out(
    belfry: Serving, mailboxes: Mailboxes, context: BrowserContext, bob: Person
) -> None:
    async with belfry.anonymous() as attacker:
        while (await attacker.post("/v1/auth/login", json={"email": bob.email, "password": "x"})).status_code == 401:
            pass
    async with browser() as elsewhere, application(elsewhere, belfry.url) as tab:
        await tab.page.get_by_label("E-mail address").fill(bob.email)
        await tab.page.get_by_label("Password").fill(PASSWORD)
        await tab.button("Sign in").click()
        await expect(tab.page.get_by_role("alert")).to_contain_text("get a link by mail")
        await tab.page.get_by_role("link", name="Forgot the password?").click()
        await expect(tab.heading("A new password")).to_be_focused()
        await expect(tab.page.get_by_label("E-mail address")).to_have_value(bob.email)
        await tab.button("Send the link").click()
        await expect(tab.heading("Look into your mail")).to_be_focused()
        token = await mailboxes.token(bob.email, "reset")
        await tab.page.goto(f"{belfry.url}/#/reset/{token}")
        await expect(tab.page.get_by_text(f"For {bob.email}.")).to_be_visible()
        await shown_once(tab.page, "reset")
        await tab.page.get_by_label("New password").fill("password1")
        await tab.button("Set password").click()
        await expect(tab.page.get_by_text("This is too easy to guess.")).to_be_visible()
        await tab.page.get_by_label("New password").fill(NEW)
        await tab.button("Set password").click()
        await expect(tab.heading("Sign in")).to_be_visible()
        await tab.page.get_by_label("E-mail address").fill(bob.email)
        await tab.page.get_by_label("Password").fill(NEW)
        await tab.button("Sign in").click()
        await expect(tab.heading("Inbox")).to_be_visible()
        await tab.page.goto(f"{belfry.url}/#/reset/{token}")
        await expect(tab.heading("This link does not work any more")).to_be_visible()
    async with application(context, belfry.url) as tab:  # where Bob had been signed in before
        await expect(tab.heading("Sign in")).to_be_visible()


async def test_who_is_invited_joins(belfry: Serving, mailboxes: Mailboxes, eve: Person) -> None:
    await eve.post("/v1/invitations", 201, email="grace@example.com", role="sender")
    token = await mailboxes.token("grace@example.com", "invite")
    async with browser() as context, application(context, belfry.url, f"#/invite/{token}") as tab:
        await expect(tab.page.get_by_text("grace@example.com")).to_be_visible()
        await shown_once(tab.page, "invite")
        await tab.page.get_by_label("Name").fill("Grace Hopper")
        await tab.page.get_by_label("New password").fill(PASSWORD)
        await tab.button("Join").click()
        await expect(tab.heading("Inbox")).to_be_visible()
        await expect(tab.page.get_by_text("Grace Hopper")).to_be_visible()


async def test_an_account_may_need_its_address_confirmed(
    settings: Settings, db: Database, mailboxes: Mailboxes
) -> None:
    strict = msgspec.structs.replace(settings, require_verified_email=True)
    async with serving(strict) as belfry, browser() as context, application(context, belfry.url, "#/register") as tab:
        await tab.page.get_by_label("E-mail address").fill("grace@example.com")
        await tab.page.get_by_label("New password").fill(PASSWORD)
        await tab.button("Create account").click()
        await expect(tab.heading("Look into your mail")).to_be_visible()
        token = await mailboxes.token("grace@example.com", "verify")
        await tab.page.goto(f"{belfry.url}/#/verify/{token}")
        await tab.page.get_by_label("Password").fill("not the password")
        await tab.button("Confirm").click()
        await expect(tab.page.get_by_text("This is not the password of the account")).to_be_visible()
        await tab.page.get_by_label("Password").fill(PASSWORD)
        await tab.button("Confirm").click()
        await expect(tab.page.get_by_text("Your account is ready. Sign in.")).to_be_visible()
        await tab.page.get_by_role("link", name="To sign in").click()
        await expect(tab.heading("Sign in")).to_be_visible()


async def test_an_address_is_changed_by_the_link_to_the_new_one(
    belfry: Serving, mailboxes: Mailboxes, bob: Person
) -> None:
    async with signed_in(belfry.url, bob.email, "#/settings") as tab:
        card = tab.page.locator(".card", has=tab.page.get_by_role("heading", name="E-mail address"))
        await expect(card.get_by_text("Confirmed", exact=True)).to_be_visible()
        await card.get_by_label("New address").fill("robert@example.com")
        await card.get_by_label("Current password").fill("not the password")
        await card.get_by_role("button", name="Change address").click()
        await expect(card.get_by_text("This is not your password.")).to_be_visible()
        await card.get_by_label("Current password").fill(PASSWORD)
        await card.get_by_role("button", name="Change address").click()
        await expect(tab.toast).to_contain_text("A link is on its way to robert@example.com.")
        token = await mailboxes.token("robert@example.com", "verify")
        await tab.page.goto(f"{belfry.url}/#/verify/{token}")
        await expect(tab.page.get_by_text("Does robert@example.com belong to you?")).to_be_visible()
        await tab.page.get_by_label("Password").fill(PASSWORD)
        await tab.button("Confirm").click()
        await expect(tab.page.get_by_text("Your address is changed.")).to_be_visible()
