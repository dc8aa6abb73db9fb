"""Running Belfry from the application: people, the mail queue, the audit, and the mail that is caught."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import ViewportSize, expect
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from tasks.context import Context, open_context
from tasks.send_due import send_due
from tests.pages.app.application import signed_in
from tests.pages.app.test_keyboard import complaints
from tests.pages.browser import PATIENCE, browser
from tests.pages.test_panel import HOSTILE
from tests.people import PASSWORD, Person
from tests.realtime import chromium
from tests.realtime.chromium import visit
from tests.serving import Serving
from tests.smtp_sink import Sink
from tests.up.test_mailbox import letter, put

pytestmark = chromium.needed

PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 800}
EVIL = "<img src=x onerror='window.hit = 1'>"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return msgspec.structs.replace(settings, mail_catcher_dir=str(tmp_path))


@pytest.fixture
async def work(settings: Settings, db: Database) -> AsyncIterator[Context]:
    """What a worker's jobs are given."""
    async with open_context(settings) as context:
        yield context


async def test_people_are_found_changed_disabled_and_invited(
    belfry: Serving, eve: Person, ada: Person, bob: Person, db: Database
) -> None:
    async with signed_in(belfry.url, eve.email, "#/users") as tab, bob.stream() as events:
        page = tab.page
        rows = page.get_by_role("list", name="People").locator("> li")
        await expect(rows.locator(".name")).to_contain_text([bob.email, "Ada Lovelace", eve.email])
        await expect(rows.nth(2).get_by_role("combobox")).to_be_disabled()  # oneself
        await page.get_by_label("Search names and addresses").fill("bob")
        await expect(rows).to_have_count(1)
        async with db.statement() as tx:
            await tx.execute(text("UPDATE sessions SET authenticated_at = now() - interval '11 minutes'"))
        role = page.get_by_label(f"Role of {bob.email}")
        asked = page.get_by_role("dialog", name="Confirm it is you")
        await role.select_option("sender")
        await asked.get_by_role("button", name="Cancel").click()
        await expect(role).to_have_value("member")
        await role.select_option("sender")
        await asked.get_by_label("Current password").fill("not the password")
        await asked.get_by_role("button", name="Continue").click()
        await expect(asked).to_contain_text("This is not your password.")
        await asked.get_by_label("Current password").fill(PASSWORD)
        await asked.get_by_role("button", name="Continue").click()
        await expect(tab.toast).to_contain_text("Sender")
        assert (await bob.get("/v1/me"))["role"] == "sender"
        await events.ended.wait()  # it comes back, and knows
        await tab.button("Disable").click()
        await page.get_by_role("dialog").get_by_role("button", name="Disable").click()
        await expect(rows.locator(".tag")).to_have_text("Disabled")
        assert (await bob.client.get("/v1/me")).status_code == 401
        await tab.button("Enable").click()
        await expect(tab.button("Disable")).to_be_visible()

        await tab.button("Invite").click()
        await page.get_by_role("dialog").get_by_label("E-mail address").fill("grace@example.com")
        await page.get_by_role("radio", name="Sender").check(force=True)
        await tab.button("Send invitation").click()
        await expect(page.get_by_role("list", name="Open invitations")).to_contain_text("grace@example.com")
        assert [(each["email"], each["role"]) for each in (await eve.get("/v1/invitations"))["items"]] == [
            ("grace@example.com", "sender")
        ]
        await tab.button("Take back").click()
        await expect(tab.heading("Open invitations")).to_be_hidden()

        await page.goto(f"{belfry.url}/#/audit")
        audit = page.get_by_role("list", name="Audit")
        await expect(audit.locator("> li").first).to_contain_text("took an invitation back")
        await page.get_by_label("What").select_option("user.disabled")
        await expect(audit.locator("> li")).to_have_count(1)
        await expect(audit).to_contain_text(f"{eve.email} disabled an account")


async def test_the_queue_is_seen_and_what_failed_is_tried_again(
    belfry: Serving, work: Context, sink: Sink, eve: Person, bob: Person
) -> None:
    sink.once("RCPT", "550 5.2.2 mailbox full", "550 5.1.1 no such user")
    await eve.send("Full", to=bob.id)
    await eve.send("Gone")
    await send_due(work)
    async with signed_in(belfry.url, eve.email, "#/queue") as tab:
        page = tab.page
        await expect(page.locator("[data-fact=failed] dd")).to_have_text("2")
        await expect(page.locator("[data-state=failed] .number")).to_have_text("2")
        await expect(tab.heading("Mail goes out")).to_be_visible()
        await expect(page.locator("main code")).to_have_text(work.worker)
        await expect(page.get_by_role("img", name="Waiting: 0 now")).to_be_visible()
        await eve.send("Waits", to=bob.id)
        await expect(page.get_by_role("img", name="Waiting: 1 now")).to_be_visible(timeout=PATIENCE)
        await page.get_by_text("As a table").first.click()
        await expect(page.locator("figure tbody").first.locator("tr").first).to_contain_text("1")

        await page.get_by_role("link", name="Failed").click()
        failed = page.locator(".listing > li")
        await expect(failed).to_have_count(2)
        await expect(failed.locator(".said")).to_have_text(["550 5.1.1 no such user", "550 5.2.2 mailbox full"])
        await failed.nth(1).get_by_role("button", name="Try again").click()
        await expect(failed).to_have_count(1)
        await tab.button("Try all again").click()
        await expect(tab.toast).to_contain_text("1 e-mail will be tried again")
        await expect(page.get_by_text("Nothing failed")).to_be_visible()

        await page.get_by_role("link", name="Suppressed").click()
        await expect(page.locator(".listing")).to_contain_text(eve.email)
        await tab.button("Lift").click()
        await tab.button("Send again").click()
        await expect(page.get_by_text("No address is suppressed")).to_be_visible()
        await send_due(work)
        assert sorted(mail.message["Subject"] for mail in sink.mails) == ["Full", "Gone", "Waits"]

        sink.always("MAIL", "550 5.7.1 not your address")
        await eve.send("Stuck", to=bob.id)
        await send_due(work)
        await page.get_by_role("link", name="Now", exact=True).click()
        await expect(tab.heading("Mail is paused")).to_be_visible(timeout=PATIENCE)
        await expect(page.locator(".state .said")).to_contain_text("550 5.7.1 not your address")
        await expect(page.locator(".listing li .tag")).to_have_text("paused")


async def test_caught_mail_is_read_and_does_nothing(belfry: Serving, eve: Person, tmp_path: Path) -> None:
    evil = letter("Look")
    evil.clear_content()
    evil.set_content(f"plain {EVIL}")
    evil.add_alternative(f"<h1 style='color: red'>Rich</h1>{EVIL}<script>top.hit = 1</script>", subtype="html")
    put(tmp_path, "7.M1P2Q3.host", evil.as_bytes())
    async with signed_in(belfry.url, eve.email) as tab:
        page = tab.page
        await page.get_by_role("link", name="Caught mail").click()
        await page.get_by_role("link", name="Look").click()
        mail = page.frame_locator("iframe")
        await expect(mail.get_by_role("heading", name="Rich")).to_have_css("color", "rgb(255, 0, 0)")
        assert await page.locator("iframe").get_attribute("sandbox") == ""
        await page.get_by_role("radio", name="Source").check()
        await expect(page.locator("pre")).to_contain_text("Content-Type: multipart/alternative")
        await page.get_by_role("radio", name="Text").check()
        await expect(page.locator("pre")).to_have_text(f"plain {EVIL}\n")
        assert await page.evaluate("window.hit") is None


async def stock(belfry: Serving, work: Context, sink: Sink, eve: Person, tmp_path: Path) -> list[str]:
    """Everything named as badly as can be; the paths that show it."""
    async with belfry.person("evil@example.com", name=EVIL) as mallory:
        sink.once("RCPT", f"550 {EVIL}")
        sent = await eve.send(
            EVIL, to=mallory.id, content=EVIL, tags=["<script>"], link="https://example.com/'onload=x"
        )
        await send_due(work)
    for title in HOSTILE:
        await eve.broadcast(title, content=title)
    broadcast = (await eve.get("/v1/broadcasts"))["items"][0]["id"]
    schedule = await eve.post("/v1/schedules", 201, name=EVIL, cron="@daily", title=EVIL, content=EVIL)
    await eve.post(f"/v1/schedules/{schedule['id']}/run", 202)
    await eve.post("/v1/suppressions", 201, address="old@example.com", detail=EVIL)
    await eve.post("/v1/invitations", 201, email="grace@example.com")
    put(tmp_path, "7.M1P2Q3.host", f"Subject: {EVIL}\nX-RcptTo: {EVIL}\n\n{EVIL}".encode())
    return [
        "send", "sent", "broadcasts", f"broadcasts/{broadcast}", "schedules", "schedules/new",
        "queue", f"schedules/{schedule['id']}", "queue/failed", f"trace/{sent['id']}", "queue/suppressed", "mail",
        f"trace/{broadcast}", "users", "mail/7.M1P2Q3.host", "audit",
    ]  # fmt: skip


LEAVE = "document.querySelector('main')?.firstElementChild?.setAttribute('data-left', '')"
READY = (
    "main > :not([data-left]) "
    ":is(.state[data-mail], dl.facts:not(.state ~ *), .listing > li, .timeline li, .form, .headers)"
)
# What people wrote is text: no element of it, and each isolated from what is around it.
WRITTEN = """() => [...document.querySelectorAll('main :is(img, script, [srcdoc], [onerror], [onload])')]
    .map(element => element.outerHTML)"""


async def test_hostile_words_are_text_and_axe_finds_nothing(
    belfry: Serving, work: Context, sink: Sink, eve: Person, tmp_path: Path
) -> None:
    paths = await stock(belfry, work, sink, eve, tmp_path)
    async with signed_in(belfry.url, eve.email, reduced_motion="reduce") as tab:
        page = tab.page
        for path in paths:
            await page.evaluate(LEAVE)
            await page.goto(f"{belfry.url}/#/{path}")
            await expect(page.locator(READY).first).to_be_visible()
            assert await page.evaluate(WRITTEN) == [], path
            assert await complaints(page) == [], path
            await page.set_viewport_size(PHONE)
            assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
            await page.set_viewport_size(DESK)
            if path == "sent":
                await expect(page.locator(".listing a.name bdi[dir=auto]")).to_have_text([EVIL])
            if path == "broadcasts":
                titles = page.locator(".listing a.name bdi[dir=auto]")
                await expect(titles).to_have_text([EVIL, *reversed(HOSTILE.values())])
        assert await page.evaluate("window.hit") is None


MORE = """async () => {
    const { Listing } = await import('/app/ui/listing.js');
    const asked = [];
    const list = new Listing({words: both => both.en}, {
        label: 'Numbers', empty: ['', ''],
        load: () => new Promise(resolve => asked.push(resolve)),
        row: ({id}) => Object.assign(document.createElement('li'), {textContent: id}),
    });
    const soon = () => new Promise(resolve => setTimeout(resolve));
    const answer = (ids, next_cursor) => {
        asked.shift()({items: ids.map(id => ({id})), next_cursor});
        return soon();
    };
    list.refresh();
    await soon();
    await answer([3, 2], 2);
    list.element.querySelector('.more').click();
    list.refresh();
    await soon();
    await answer([1], null);
    return list.items.map(({id}) => id);
}"""


async def test_who_asks_for_more_of_a_list_gets_it_while_it_is_refreshed(belfry: Serving) -> None:
    async with browser() as context:
        page = await context.new_page()
        await visit(page, f"{belfry.url}/page", "<!doctype html>")
        assert await page.evaluate(MORE) == [3, 2, 1]
