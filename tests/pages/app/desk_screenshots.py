"""The pages for sending and for running Belfry, drawn by `just screenshots`: with a worker, and mail that is caught.

`just screenshots desk` draws only these, `just screenshots desk-queue-dark` one.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import BrowserContext, Page, expect

from belfry.settings import Settings
from belfry.up import postgres, redis
from db import connect
from db.migrate import upgrade
from tests.pages.browser import browser, log_in
from tests.people import Person
from tests.processes import worker
from tests.realtime.raw import eventually_yes
from tests.rows import users
from tests.serving import Serving, serving
from tests.smtp_sink import Mail, Sink, smtp_sink
from tests.up.test_mailbox import put
from tests.up.witness import passable_directory

DESK = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
CROWD = 400


class Scene(msgspec.Struct, frozen=True):
    name: str
    path: str
    act: Callable[[Page], Awaitable[None]] | None = None
    full: bool = True


class Catcher(Sink):
    """Takes mail as a catcher does, refuses one address, and of a crowd takes only so many."""

    directory = Path()
    allowed = 250

    def about(self, recipient: str) -> str:
        if recipient.startswith("grace@"):
            return "550 5.1.1 <grace@example.com>: no such user here"
        self.allowed -= recipient.startswith("user")
        return "250 ok" if self.allowed >= 0 or not recipient.startswith("user") else "450 4.2.1 busy, come back later"

    async def take(self, mail: Mail) -> None:
        if not mail.recipient.startswith("user"):
            name = f"{len(self.mails)}.M1P1.host"
            put(self.directory, name, b"X-RcptTo: %s\r\n" % mail.recipient.encode() + mail.raw)
        await super().take(mail)


async def write(page: Page) -> None:
    await page.get_by_role("combobox", name="Recipient").fill("bob")
    await page.get_by_role("listbox", name="Recipient").get_by_role("option").first.click()
    await page.get_by_label("Title").fill("Your export is ready")
    await page.get_by_label("Text", exact=True).fill("All 12,408 rows, as you asked. The file is kept until Friday.")
    await page.get_by_label("Link", exact=True).fill("https://files.example.com/exports/7")
    await page.get_by_label("Tags").fill("export reports")
    await page.get_by_label("Desktop alert").check()


async def choose(page: Page) -> None:
    await page.get_by_role("combobox", name="Recipient").fill("e")
    await expect(page.get_by_role("listbox", name="Recipient").get_by_role("option").first).to_be_visible()


async def refused(page: Page) -> None:
    await page.get_by_role("combobox", name="Recipient").fill("nobody@example.com")
    await page.get_by_label("Title").fill("Hello")
    await page.get_by_label("Link", exact=True).fill("files.example.com")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".problem:not(:empty)").first).to_be_visible()


async def wait(page: Page) -> None:
    await expect(page.locator(".listing li, .timeline li, .state[data-mail], .note h3, .facts").first).to_be_visible()
    await page.wait_for_timeout(2_500)  # a chart wants some points


async def invite(page: Page) -> None:
    await page.get_by_role("button", name="Invite").click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def read_mail(page: Page) -> None:
    await page.locator(".listing a").first.click()
    await expect(page.locator("iframe")).to_be_visible()
    await page.wait_for_timeout(500)


async def menu(page: Page) -> None:
    await page.locator(".menu").click()


def scenes(ids: dict[str, int]) -> list[Scene]:
    return [
        Scene("send", "/send", write),
        Scene("send-choose", "/send", choose, full=False),
        Scene("send-refused", "/send", refused),
        Scene("sent", "/sent", wait),
        Scene("broadcasts", "/broadcasts", wait),
        Scene("broadcast", f"/broadcasts/{ids['broadcast']}", wait),
        Scene("schedules", "/schedules", wait),
        Scene("schedule", f"/schedules/{ids['schedule']}", wait),
        Scene("schedule-new", "/schedules/new"),
        Scene("trace", f"/trace/{ids['sent']}", wait),
        Scene("trace-failed", f"/trace/{ids['failed']}", wait),
        Scene("trace-broadcast", f"/trace/{ids['broadcast']}", wait),
        Scene("users", "/users", wait),
        Scene("users-invite", "/users", invite, full=False),
        Scene("queue", "/queue", wait),
        Scene("queue-failed", "/queue/failed", wait),
        Scene("queue-suppressed", "/queue/suppressed", wait),
        Scene("audit", "/audit", wait),
        Scene("mail", "/mail", read_mail, full=False),
    ]


LOOKS: list[tuple[str, dict[str, Any]]] = [
    ("light", {"viewport": DESK}),
    ("dark", {"viewport": DESK, "color_scheme": "dark"}),
    ("phone", {"viewport": PHONE, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}),
    ("chinese", {"viewport": DESK, "locale": "zh-CN"}),
]


async def stock(belfry: Serving, eve: Person, people: AsyncExitStack) -> dict[str, int]:
    """What has happened here: mails sent, failed and under way, people of every kind, schedules."""
    await users(belfry.given.db, CROWD)
    bob = await people.enter_async_context(belfry.person("bob@example.com", name="Bob Kowalski"))
    await people.enter_async_context(belfry.person("grace@example.com", name="Grace Hopper"))
    ada = await people.enter_async_context(belfry.person("ada@example.com", role="sender", name="Ada Lovelace"))
    await people.enter_async_context(belfry.person("mehmet@example.com", name="Mehmet Demir"))
    wang = await people.enter_async_context(belfry.person("wang@example.com", name="王小明"))
    failed = await eve.send(
        "Your invoice of October", to="grace@example.com", content="It is attached to your account."
    )
    sent = await eve.send("Your export is ready", to=bob.id, link="https://files.example.com/exports/7")
    await eve.send("部署完成", to=wang.id, content="版本 2026.11.4 已上线。", channels=["inbox"])
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    await eve.send("Release notes of 2026.12", to=ada.id, send_at=later)
    cron: dict[str, Any] = {"cron": "0 7 * * MON-FRI", "time_zone": "Europe/Berlin", "title": "Report of {date}"}
    schedule = await eve.post("/v1/schedules", 201, name="Daily report", content="This is number {count}.", **cron)
    await eve.post(f"/v1/schedules/{schedule['id']}/run", 202)
    await ada.post("/v1/schedules", 201, name="Backup check", enabled=False, **cron | {"cron": "@weekly"})
    await eve.post("/v1/suppressions", 201, address="old@example.com", detail="asked by telephone")
    await eve.post("/v1/invitations", 201, email="linus@example.com", role="sender")
    await ada.broadcast("Welcome to Belfry", content="This is where things that happen are told.")
    await settled(eve, {"sent": sent["id"], "failed": failed["id"]})
    await bob.mark("read", ids=[sent["id"]])
    broadcast = await eve.broadcast(
        "Maintenance tonight",
        content="From 22:00 to 23:00 nothing can be sent.",
        channels=["inbox", "email"],
        priority=4,
    )
    await bob.mark("read", ids=[broadcast["id"]])
    return {"sent": sent["id"], "failed": failed["id"], "schedule": schedule["id"], "broadcast": broadcast["id"]}


async def settled(person: Person, ids: dict[str, int]) -> None:
    async def are() -> bool:
        now = [(await person.get(f"/v1/notifications/{id_}"))["status"] for id_ in ids.values()]
        return now == list(ids)

    await eventually_yes(are, within=30)


async def draw_one(context: BrowserContext, url: str, look: str, scene: Scene, path: Path) -> None:
    page = await context.new_page()
    page.on("pageerror", lambda error: print(f"{scene.name}: {error.stack}"))
    await page.goto(f"{url}/#{scene.path}")
    await expect(page.locator("main h1")).to_be_visible()
    if scene.act is not None and (look != "chinese" or scene.act is wait):
        await scene.act(page)
    await page.evaluate("scrollTo(0, 0)")
    await page.screenshot(path=path, full_page=scene.full)
    await page.close()


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Serving]:
    def quiet(_: str) -> None: ...

    Catcher.directory = directory / "mail"
    async with (
        postgres.running(directory / "data", say=quiet, durable=False) as database,
        redis.running(say=quiet) as cache,
        smtp_sink(kind=Catcher) as sink,
    ):
        settings = Settings(
            database_url=database.url,
            redis_url=cache.url,
            secret_key=secrets.token_urlsafe(48),
            smtp_url=sink.url,
            mail_from="Belfry <belfry@example.org>",
            mail_catcher_dir=str(Catcher.directory),
        )
        await asyncio.to_thread(upgrade, connect(settings.database_url), say=quiet)
        async with serving(settings) as belfry, worker(settings, Path.cwd()):
            yield belfry


async def draw(target: Path, names: list[str]) -> None:
    """Draw what is asked for; without names, everything."""
    if names and not any(name.startswith("desk") for name in names):
        return
    with passable_directory() as directory:
        async with running(directory) as belfry, AsyncExitStack() as people:
            eve = await people.enter_async_context(belfry.person("eve@example.com", role="admin", name="Eve Moreau"))
            ids = await stock(belfry, eve, people)
            for look, options in LOOKS:
                language = "zh-Hans" if look == "chinese" else "en"
                assert (await eve.client.patch("/v1/me", json={"language": language})).status_code == 200
                async with browser(**options) as context:
                    await log_in(context, belfry.url, eve.email)
                    for scene in scenes(ids):
                        name = f"desk-{scene.name}-{look}"
                        if not names or {"desk", name} & set(names):
                            await draw_one(context, belfry.url, look, scene, target / f"{name}.png")
