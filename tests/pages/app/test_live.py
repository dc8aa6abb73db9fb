"""The application stays true: in two tabs, for two people, while connections, servers and logins come and go."""

import asyncio
import signal

from playwright.async_api import BrowserContext, Route, expect

from belfry.settings import Settings
from db import Database
from tests.pages.app.application import application, signed_in
from tests.pages.browser import PATIENCE, browser, knows, log_in
from tests.people import PASSWORD, Person
from tests.processes import web
from tests.realtime import chromium
from tests.realtime.raw import eventually
from tests.serving import Serving

pytestmark = chromium.needed


async def test_two_tabs_and_two_people_at_once(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    async with (
        application(context, belfry.url) as first,
        application(context, belfry.url) as second,
        signed_in(belfry.url, ada.email) as hers,
    ):
        await ada.send("For Bob", to=bob.id)
        await ada.send("For Ada")
        await ada.broadcast("For all")
        for tab in (first, second):
            await tab.shows("For all", "For Bob")
            await tab.counts(2)
        await hers.shows("For all", "For Ada")

        await first.row("For Bob").click()
        await expect(second.row("For Bob")).not_to_have_class("is-unread")
        await second.counts(1)
        await second.row("For all").hover()
        await second.row("For all").get_by_role("button", name="Delete").click()
        await second.toast.get_by_role("button", name="Undo").wait_for()
        await second.page.get_by_role("link", name="Settings").click()
        await second.button("Sign out").click()  # and with it what can be undone is done
        for tab in (first, second):
            await expect(tab.heading("Sign in")).to_be_visible(timeout=PATIENCE)
            assert "For Bob" not in await tab.page.content()
        assert [item["title"] for item in (await bob.inbox())["items"]] == ["For Bob"]
        await hers.counts(2)


async def test_the_tab_with_the_stream_closes_while_notifications_come(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person
) -> None:
    leader = await context.new_page()
    await leader.goto(belfry.url)
    await expect(leader.locator(".frame")).to_have_attribute("data-status", "live", timeout=PATIENCE)
    async with application(context, belfry.url) as tab:
        await tab.becomes("live")
        sent: list[str] = []
        closed = asyncio.Event()

        async def send() -> None:
            while len(sent) < 40 and not (closed.is_set() and len(sent) > 12):
                sent.append(f"Number {len(sent)}")
                await (ada.broadcast(sent[-1]) if len(sent) % 3 else ada.send(sent[-1], to=bob.id))

        sending = asyncio.create_task(send())
        await expect(tab.rows.nth(4)).to_be_attached()
        await leader.close()
        closed.set()
        await sending
        await tab.counts(len(sent))
        found = [item["title"] for item in (await bob.inbox(page_size=100))["items"]]
        assert sorted(found) == sorted(sent)
        shown = await tab.titles.all_text_contents()
        assert shown == found[: len(shown)]
        await eventually(lambda: belfry.given.live.hub.open == 1)


async def test_the_server_restarts_and_the_network_goes(
    settings: Settings, db: Database, belfry: Serving, ada: Person, bob: Person
) -> None:
    """`belfry` serves the same database while the process that the browser knows is away."""
    async with web(settings) as process, browser() as context:
        await log_in(context, process.url, bob.email)
        async with application(context, process.url) as tab:
            await ada.send("Before", to=bob.id)
            await tab.shows("Before")
            await process.end(signal.SIGKILL)
            await ada.send("Missed", to=bob.id)
            await expect(tab.page.get_by_text("Offline. Will catch up.")).to_be_visible(timeout=PATIENCE)
            await process.start()
            await tab.shows("Missed", "Before")
            await tab.counts(2)

            await context.set_offline(True)
            await tab.becomes("offline")
            await tab.row("Missed").hover()
            await tab.row("Missed").get_by_role("button", name="Mark as read").click()
            await tab.counts(1)
            await ada.send("Meanwhile", to=bob.id)
            await knows(bob, 3)
            await context.set_offline(False)
            await tab.shows("Meanwhile", "Missed", "Before")
            await tab.counts(2)
            await knows(bob, 2)


async def test_a_login_that_ends_asks_for_another_and_leads_back(belfry: Serving, ada: Person, bob: Person) -> None:
    sent = await ada.send("Still here", to=bob.id)
    async with signed_in(belfry.url, bob.email, f"#/n/{sent['id']}") as tab:
        await expect(tab.detail.get_by_role("heading", name="Still here")).to_be_visible()
        await tab.press("?")
        await expect(tab.page.get_by_role("dialog")).to_be_visible()
        for login in await bob.get("/v1/sessions"):
            if not login["current"]:
                assert (await bob.client.delete(f"/v1/sessions/{login['id']}")).status_code == 204
        await expect(tab.heading("Sign in")).to_be_visible(timeout=PATIENCE)
        assert "Still here" not in await tab.page.content()
        await expect(tab.page.get_by_role("dialog")).to_have_count(0)
        await tab.page.get_by_label("E-mail address").fill(bob.email)
        await tab.page.get_by_label("Password").fill(PASSWORD)
        await tab.button("Sign in").click()
        await expect(tab.detail.get_by_role("heading", name="Still here")).to_be_visible()


async def test_a_new_role_and_a_new_language_are_seen_in_every_tab(
    belfry: Serving, context: BrowserContext, bob: Person, eve: Person
) -> None:
    async with application(context, belfry.url) as first, application(context, belfry.url, "#/settings") as second:
        for tab in (first, second):
            await tab.becomes("live")
        assert (await eve.client.patch(f"/v1/users/{bob.id}", json={"role": "sender"})).status_code == 200
        for tab in (first, second):
            await expect(tab.page.get_by_role("link", name="Broadcasts")).to_be_visible(timeout=PATIENCE)
        await second.page.get_by_label("Language").select_option("zh-Hans")
        await second.button("Save").click()
        for tab in (first, second):
            await expect(tab.page.get_by_role("link", name="收件箱")).to_be_visible()


async def test_what_is_open_and_in_no_list_stays_true_too(belfry: Serving, ada: Person, bob: Person) -> None:
    sent = await ada.send("Open", to=bob.id)
    for title in ("Other", "Newest"):
        await ada.send(title, to=bob.id)
    async with signed_in(belfry.url, bob.email, f"#/n/{sent['id']}?q=other") as tab:
        await expect(tab.detail.get_by_role("heading", name="Open")).to_be_visible()
        await tab.shows("Other")
        await knows(bob, 2)
        await bob.mark("unread", ids=[sent["id"]])
        await expect(tab.detail.get_by_role("button", name="Mark read")).to_be_visible()
        await bob.mark("delete", ids=[sent["id"]])
        await expect(tab.detail.get_by_role("heading", name="Not here any more")).to_be_visible()
        await tab.press("Shift+A")
        await knows(bob, 0)  # also what no list has shown


async def test_who_has_left_is_not_led_back_and_has_read_nothing(belfry: Serving, ada: Person, bob: Person) -> None:
    sent = await ada.send("Late", to=bob.id)
    async with signed_in(belfry.url, bob.email, "health/live") as tab:
        page = tab.page
        arrived, free = asyncio.Event(), asyncio.Event()

        async def hold(route: Route) -> None:
            arrived.set()
            await free.wait()
            await route.continue_()

        path = f"/v1/notifications/{sent['id']}"
        await page.route(f"**{path}", hold, times=1)
        await page.goto(f"{belfry.url}/#/n/{sent['id']}?q=nothing")
        await arrived.wait()
        await page.get_by_label("Search titles").fill("no")
        await page.evaluate("location.hash = '#/settings'")
        await expect(tab.heading("Settings")).to_be_focused()
        async with page.expect_response(f"**{path}"):
            free.set()
        await page.evaluate("path => fetch(path).then(answer => answer.text())", path)  # by then that answer was taken
        await page.evaluate("new Promise(resolve => setTimeout(resolve, 200))")  # longer than the search waits
        await expect(tab.heading("Settings")).to_be_visible()
        await tab.counts(1)
        await knows(bob, 1)


async def test_what_others_write_is_text(belfry: Serving, ada: Person, bob: Person) -> None:
    corpus = [
        "<img src=x onerror=window.pwned=1>",
        "</bdi></a><script>window.pwned=1</script>",
        '" onmouseover="window.pwned=1',
        "{{constructor.constructor('window.pwned=1')()}}",
        "javascript:window.pwned=1",
        "\u202egnp.exe <svg onload=window.pwned=1>",
        "zero\u200bwidth\u2060\ufeff",
        "Z" + "\u0351" * 100 + " tall",
    ]
    for title in corpus:
        await ada.send(title, to=bob.id, content=f"{title}\n{title}", tags=["<b>x</b>"])
    async with signed_in(belfry.url, bob.email, viewport={"width": 1280, "height": 900}) as tab:
        await expect(tab.rows).to_have_count(len(corpus))
        shown = await tab.titles.all_text_contents()
        assert shown == [
            "Z" + "\u0351" * 3 + " tall",
            "zerowidth",
            "gnp.exe <svg onload=window.pwned=1>",
            *reversed(corpus[:5]),
        ]
        for title in shown:
            await tab.row(title).locator(".main").click()
            await expect(tab.detail.locator("h1")).to_have_text(title)
        assert await tab.page.evaluate("window.pwned") is None
        assert await tab.page.locator(".row script, .row img, .detail img, .detail script").count() == 0
        heights = await tab.rows.evaluate_all("rows => rows.map(row => row.offsetHeight)")
        assert len(set(heights)) == 1
