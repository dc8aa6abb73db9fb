"""Sending from the application: to somebody, to everyone, later, and what became of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import APIResponse, Locator, Page, Route, expect

from belfry.settings import Settings
from db import Database
from db.queries import expansions
from tasks.context import Context, open_context
from tasks.expand import expand
from tasks.send_due import send_due
from tests.pages.app.application import signed_in
from tests.pages.browser import PATIENCE
from tests.people import Person
from tests.realtime import chromium
from tests.rows import users
from tests.serving import Serving
from tests.smtp_sink import Sink

pytestmark = chromium.needed


@pytest.fixture
async def work(settings: Settings, db: Database) -> AsyncIterator[Context]:
    """What a worker's jobs are given."""
    async with open_context(settings) as context:
        yield context


async def walk(page: Page, to: Locator) -> None:
    """Press Tab until something has the focus."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await to.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"the Tab key does not lead to {to}")


def row(page: Page, title: str) -> Locator:
    return page.locator(".listing > li").filter(has=page.get_by_text(title, exact=True))


async def test_somebody_is_written_to_without_a_mouse_and_sees_it_at_once(
    belfry: Serving, work: Context, ada: Person, bob: Person
) -> None:
    async with signed_in(belfry.url, bob.email) as there, signed_in(belfry.url, ada.email, "#/send") as here:
        page = here.page
        await there.becomes("live")
        to = page.get_by_role("combobox", name="Recipient")
        await expect(page.get_by_role("main")).to_contain_text("What they will see")
        await walk(page, to)
        await page.keyboard.type("bo")
        await expect(page.get_by_role("listbox", name="Recipient").get_by_role("option")).to_have_text([bob.email])
        await here.press("ArrowDown")
        await expect(to).to_have_attribute("aria-activedescendant", "recipient-0")
        await here.press("Enter")
        await expect(to).to_have_value(bob.email)
        await walk(page, page.get_by_label("Title"))
        await page.keyboard.type("By hand")
        await walk(page, page.get_by_label("Tags"))
        await page.keyboard.type("one, two")
        preview = page.get_by_role("complementary", name="What they will see")
        await expect(preview.get_by_role("heading", name="By hand")).to_be_visible()
        await expect(preview.get_by_role("listitem")).to_have_text(["one", "two"])
        await walk(page, here.button("Send"))
        await here.press("Enter", "Enter")  # twice, and it is sent once
        await expect(here.heading("Sent")).to_be_focused()
        await there.shows("By hand")
        await there.counts(1)

        await walk(page, page.get_by_role("link", name="Follow it"))
        await here.press("Enter")
        await expect(here.heading("By hand")).to_be_focused()
        await expect(page.locator(".timeline li")).to_contain_text(
            ["Accepted", "Arrived", "E-mail in the queue", "To be tried"]
        )
        await send_due(work)
        await expect(page.locator(".timeline li").last).to_contain_text("Taken by the mail server", timeout=PATIENCE)
        await expect(page.locator(".timeline .said")).to_contain_text("250")
        await there.row("By hand").locator(".main").click()
        await expect(page.locator(".timeline li").last).to_contain_text("Read", timeout=PATIENCE)
    [item] = (await ada.get("/v1/notifications/sent"))["items"]
    assert (item["recipient"], item["tags"]) == ({"id": bob.id, "name": bob.email}, ["one", "two"])


async def test_who_was_chosen_stays_so_when_a_later_search_is_answered(
    belfry: Serving, ada: Person, bob: Person
) -> None:
    release = asyncio.Event()

    async def hold(route: Route) -> None:
        await release.wait()
        await route.continue_()

    async with signed_in(belfry.url, ada.email, "#/send") as tab:
        page = tab.page
        to = page.get_by_role("combobox", name="Recipient")
        await to.press_sequentially("b")
        option = page.get_by_role("listbox", name="Recipient").get_by_role("option")
        await expect(option).to_have_text([bob.email])
        first = await option.element_handle()
        await page.route("**/v1/users?*", hold)
        await to.press_sequentially("o")
        await tab.press("ArrowDown")
        release.set()
        await page.wait_for_function("element => !element.isConnected", arg=first)
        await expect(option).to_have_attribute("aria-selected", "true")
        await tab.press("Enter")
        await expect(to).to_have_value(bob.email)


async def test_what_is_wrong_is_said_where_it_is_and_nothing_is_sent(belfry: Serving, ada: Person) -> None:
    async with signed_in(belfry.url, ada.email, "#/send") as tab:
        page = tab.page
        await tab.button("Send").click()
        await expect(page.get_by_role("combobox", name="Recipient")).to_be_focused()
        await expect(page.get_by_role("combobox", name="Recipient")).to_have_accessible_description(
            "Name or e-mail address This is needed."
        )
        await page.get_by_role("combobox", name="Recipient").fill("nobody@example.com")
        await page.get_by_label("Title").fill("Hello")
        await page.get_by_label("Link", exact=True).fill("no address")
        await tab.button("Send").click()
        await expect(page.get_by_label("Link", exact=True)).to_be_focused()
        await expect(page.get_by_label("Link", exact=True)).to_have_accessible_description(
            "Where its button leads expected an http:// or https:// address"
        )
        await page.get_by_label("Link", exact=True).fill("https://example.com/")
        await tab.button("Send").click()
        await expect(page.get_by_role("combobox", name="Recipient")).to_be_focused()
        await expect(page.locator(".problem:not(:empty)")).to_have_text("no user has this id or e-mail address")
    assert (await ada.get("/v1/notifications/sent"))["items"] == []


async def test_what_is_not_known_to_have_arrived_is_sent_again_as_the_same(belfry: Serving, bob: Person) -> None:
    """A member, who can write to nobody else. The answer to the first request is lost on the way."""
    async with signed_in(belfry.url, bob.email, "#/send") as tab:
        page = tab.page
        await page.get_by_label("Title").fill("Remember")
        await expect(page.get_by_role("combobox", name="Recipient")).to_be_hidden()
        await expect(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Broadcasts")).to_have_count(
            0
        )
        lost: list[APIResponse] = []

        async def lose(route: Route) -> None:
            lost.append(await route.fetch())
            await route.abort()

        await page.route("**/v1/notifications", lose, times=1)
        await tab.button("Send").click()
        await expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
        await tab.button("Send").click()
        await expect(tab.heading("Sent")).to_be_visible()
        assert [answer.status for answer in lost] == [202]
    assert [item["title"] for item in (await bob.inbox())["items"]] == ["Remember"]


async def test_the_list_of_what_was_sent_cancels_and_tries_again(
    belfry: Serving, work: Context, sink: Sink, ada: Person, bob: Person
) -> None:
    sink.once("RCPT", "550 5.2.2 mailbox full")
    await ada.send("Refused", to=bob.id)
    await send_due(work)
    async with signed_in(belfry.url, ada.email, "#/send") as tab:
        page = tab.page
        await page.get_by_role("combobox", name="Recipient").fill(bob.email)
        await page.get_by_label("Title").fill("Later")
        await page.get_by_label("Not before").fill("2027-06-01T09:00")
        await tab.button("Schedule").click()
        await expect(tab.heading("Scheduled")).to_be_visible()
        await page.get_by_role("link", name="All you sent").click()
        later, refused = row(page, "Later"), row(page, "Refused")
        await expect(later.locator(".tag")).to_have_text("Scheduled")
        await later.get_by_role("button", name="Cancel").click()
        await expect(later.locator(".tag")).to_have_text("Cancelled")
        await expect(refused.locator(".tag")).to_have_text("Failed")
        await refused.get_by_role("button", name="Try again").click()
        await expect(refused.locator(".tag")).to_have_text("Waiting")
        await send_due(work)
        await expect(refused.locator(".tag")).to_have_text("Sent", timeout=PATIENCE)


async def test_a_broadcast_is_followed_to_its_end_and_another_is_stopped(
    belfry: Serving, db: Database, work: Context, sink: Sink, ada: Person, bob: Person
) -> None:
    await users(db, 150)
    async with signed_in(belfry.url, ada.email, "#/send?to=everyone") as tab:
        page = tab.page
        await page.get_by_label("Title").fill("To all")
        await page.get_by_label("E-mail", exact=True).check()
        await tab.button("Send").click()
        await tab.button("Send to everyone").click()
        meter = page.get_by_role("progressbar", name="E-mails")
        await expect(tab.heading("To all")).to_be_visible()
        await expect(meter).to_have_attribute("aria-valuenow", "0")
        [sent] = (await ada.get("/v1/broadcasts"))["items"]
        async with db.begin() as tx:
            await expansions.expand(tx, sent["id"], size=60)
        await send_due(work)
        await expect(meter).not_to_have_attribute("aria-valuenow", "0", timeout=PATIENCE)
        assert 0 < int(await meter.get_attribute("aria-valuenow") or 0) < 100
        await expand(work, sent["id"])
        await send_due(work)
        await expect(meter).to_have_attribute("aria-valuenow", "100", timeout=PATIENCE)
        await expect(page.get_by_text("All e-mails are out")).to_be_visible()
        await bob.mark("read", ids=[sent["id"]])
        await expect(page.locator("[data-fact=read] dd")).to_have_text("1", timeout=PATIENCE)

        other = await ada.broadcast("Never mind", channels=["inbox", "email"])
        await expand(work, other["id"])
        await page.goto(f"{belfry.url}/#/broadcasts")
        await page.get_by_role("link", name="Never mind").click()
        await tab.button("Stop").click()
        await tab.button("Stop it").click()
        await expect(page.locator(".about .tag")).to_have_text("Cancelled")
        await expect(tab.button("Stop")).to_have_count(0)
    await send_due(work)
    assert {mail.message["Subject"] for mail in sink.mails} == {"To all"}


async def test_a_schedule_is_made_run_paused_and_removed(belfry: Serving, ada: Person, bob: Person) -> None:
    async with signed_in(belfry.url, ada.email, "#/schedules/new") as tab:
        page = tab.page
        await page.get_by_label("Name").fill("Daily")
        await page.get_by_label("When").fill("61 7 * * *")
        await page.get_by_label("Title").fill("Report {count}")
        await tab.button("Make it").click()
        await expect(page.get_by_label("When")).to_have_attribute("aria-invalid", "true")
        await page.get_by_label("When").fill("0 7 * * *")
        await page.get_by_label("Time zone").select_option("Europe/Berlin")
        await tab.button("Make it").click()
        await expect(tab.heading("Daily")).to_be_visible()
        await expect(page.locator(".times li")).to_have_count(5)
        await expect(page.locator(".times li").first).to_contain_text("07:00")
        await tab.button("Run now").click()
        await page.get_by_role("dialog").get_by_role("button", name="Run now").click()
        await expect(page.get_by_role("list", name="Runs").locator(".tag")).to_have_text("Sent")
        await tab.button("Pause").click()
        await expect(page.get_by_text("It is paused: nothing is due.")).to_be_visible()
        await tab.button("Resume").click()
        await expect(page.locator(".times li")).to_have_count(5)
        await tab.button("Remove").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(page.get_by_text("No schedules yet")).to_be_visible()
    assert [item["title"] for item in (await bob.inbox())["items"]] == ["Report 1"]
