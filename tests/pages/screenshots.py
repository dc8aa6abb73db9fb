"""`just screenshots`: bell and application as people see them, in light and dark, on desks and phones."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import expect
from sqlalchemy import text

from belfry.settings import Settings
from belfry.up import postgres, redis
from db import connect
from db.migrate import upgrade
from tests.pages.app import desk_screenshots as desk
from tests.pages.app import screenshots as application
from tests.pages.browser import Bell, bell, browser, chromium, log_in
from tests.people import Person
from tests.realtime.chromium import CHROMIUM
from tests.serving import Serving, serving
from tests.up.witness import passable_directory

DIRECTORY = Path("screenshots")
DESK = {"width": 560, "height": 720}
PHONE = {"width": 375, "height": 740}
TOUCH: dict[str, Any] = {"has_touch": True, "is_mobile": True}

# Shown from the last to the first; minutes since it came.
SENT: list[tuple[int, dict[str, Any]]] = [
    (60 * 24 * 12, {"title": "Welcome to Belfry", "content": "This is where things that happen are told."}),
    (60 * 24 * 3, {"title": "Your export is ready", "link": "https://files.example.com/exports/7"}),
    (60 * 26, {"title": "Grace commented on “Parser, third attempt”", "link": "https://git.example.com/pulls/81",
               "content": "I like the shape of this. Two questions about the error path: who closes the file when the "
               "header is too long, and could the test name the rule it is about?"}),
    (60 * 5, {"title": "Deploy to production finished", "content": "Version 2026.11.4, in 3 minutes 12 seconds.",
              "link": "https://ci.example.com/deploys/512"}),
    (42, {"title": "Disk of db-1 is 97 % full", "priority": 5,
          "content": "At this pace it will be full within the next forty minutes."}),
    (3, {"title": "Build passed", "content": "All 412 tests are green.", "link": "https://ci.example.com/builds/7"}),
]  # fmt: skip
BROADCAST = (60 * 2, {"title": "Maintenance tonight", "content": "From 22:00 to 23:00 nothing can be sent."})
CHINESE = [
    (60 * 30, {"title": "您的导出文件已准备好", "link": "https://files.example.com/exports/7"}),
    (
        55,
        {
            "title": "王小明评论了“解析器重构”",
            "content": "整体思路很好。关于错误处理还有一个问题。请在合并之前看一看。",
        },
    ),
    (4, {"title": "构建成功", "content": "全部 412 个测试通过。", "link": "https://ci.example.com/builds/7"}),
]
ARABIC = [
    (90, {"title": "تصديرك جاهز", "link": "https://files.example.com/exports/7"}),
    (
        4,
        {
            "title": "نجح البناء",
            "content": "جميع الاختبارات البالغ عددها 412 ناجحة.",
            "link": "https://ci.example.com/b/7",
        },
    ),
]

PAGE = """
body { margin: 0; font: 15px/1.5 Inter, system-ui, sans-serif; background: light-dark(#f1f2f6, #121419);
       color: light-dark(#333945, #c4cad6); }
main { display: flex; gap: 12px; align-items: center; padding: 10px 20px; background: Canvas;
       border-bottom: 1px solid light-dark(#e1e4eb, #2e333d); }
h1 { font-size: 15px; flex: 1; } main > button { display: none; }
"""


class Scene(msgspec.Struct, frozen=True):
    name: str
    sent: list[tuple[int, dict[str, Any]]] = msgspec.field(default_factory=lambda: SENT)
    scheme: str = "light"
    size: dict[str, int] = msgspec.field(default_factory=lambda: DESK)
    lang: str = "en"
    direction: str = "ltr"
    act: Callable[[Bell], Awaitable[None]] | None = None


async def go_offline(tab: Bell) -> None:
    await tab.page.context.set_offline(True)
    await expect(tab.element.locator(".offline")).to_have_css("opacity", "1", timeout=10_000)


async def delete_one(tab: Bell) -> None:
    await tab.row("Build passed").hover()
    await tab.row("Build passed").get_by_role("button", name="Delete").click()
    await expect(tab.toast).to_be_visible()


async def focus_one(tab: Bell) -> None:
    for _ in range(2):
        await tab.page.keyboard.press("ArrowDown")


async def hover_one(tab: Bell) -> None:
    await tab.row("Disk of db-1 is 97 % full").hover()


async def close(tab: Bell) -> None:
    await tab.page.keyboard.press("Escape")


SCENES = [
    Scene("light"),
    Scene("dark", scheme="dark"),
    Scene("phone", size=PHONE),
    Scene("phone-dark", size=PHONE, scheme="dark"),
    Scene("chinese", CHINESE, lang="zh-CN"),
    Scene("right-to-left", ARABIC, direction="rtl", lang="ar"),
    Scene("empty", []),
    Scene("empty-dark", [], scheme="dark"),
    Scene("offline", act=go_offline),
    Scene("removed", act=delete_one),
    Scene("keyboard", act=focus_one),
    Scene("hover", act=hover_one),
    Scene("closed", act=close),
]


async def stock(belfry: Serving, scene: Scene, ada: Person, bob: Person) -> None:
    """Put into Bob's inbox what the scene shows, as if it had come over the days."""
    await fill(belfry, scene.sent, ada, bob)


async def fill(belfry: Serving, sent: list[tuple[int, dict[str, Any]]], ada: Person, bob: Person) -> None:
    for minutes, words in sent:
        item = await ada.send(to=bob.id, channels=["inbox"], **words)
        await age(belfry, item["id"], minutes)
    if sent is SENT:
        notice = await ada.broadcast(**BROADCAST[1])
        await age(belfry, notice["id"], BROADCAST[0])
        ids = [item["id"] for item in (await bob.inbox())["items"]]
        await bob.mark("read", ids=[ids[1], *ids[4:]])


async def age(belfry: Serving, id_: int, minutes: int) -> None:
    async with belfry.given.db.begin() as tx:
        await tx.execute(
            text(
                "UPDATE notifications SET created_at = created_at - make_interval(mins => :minutes), "
                "visible_at = visible_at - make_interval(mins => :minutes) WHERE id = :id"
            ),
            {"minutes": minutes, "id": id_},
        )


async def draw(belfry: Serving, scene: Scene) -> None:
    touch = TOUCH if scene.size is PHONE else {}
    async with (
        belfry.person(f"ada-{scene.name}@example.com", role="sender", name="Ada Lovelace") as ada,
        belfry.person(f"bob-{scene.name}@example.com") as bob,
        browser(viewport=scene.size, color_scheme=scene.scheme, device_scale_factor=2, **touch) as context,
    ):
        await stock(belfry, scene, ada, bob)
        await log_in(context, belfry.url, bob.email)
        style = f":root {{ color-scheme: {scene.scheme}; }}{PAGE}"
        tab = await bell(context, belfry.url, lang=scene.lang, direction=scene.direction, style=style)
        await tab.open()
        await expect(tab.element.locator(".row, .message").first).to_be_visible()
        if scene.act is not None:
            await scene.act(tab)
        await tab.page.screenshot(path=DIRECTORY / f"{scene.name}.png")


@asynccontextmanager
async def served() -> AsyncIterator[Serving]:
    def quiet(_: str) -> None: ...

    with passable_directory() as directory:
        async with (
            postgres.running(directory / "data", say=quiet, durable=False) as database,
            redis.running(say=quiet) as cache,
        ):
            settings = Settings(
                database_url=database.url, redis_url=cache.url, secret_key=secrets.token_urlsafe(48), page_cache=False
            )
            await asyncio.to_thread(upgrade, connect(settings.database_url), say=quiet)
            async with serving(settings) as running:
                yield running


async def main(names: list[str]) -> None:
    if CHROMIUM is None:
        sys.exit("This needs Chromium: apt-get install chromium")
    DIRECTORY.mkdir(exist_ok=True)
    async with served() as belfry, chromium():
        for scene in SCENES:
            if not names or scene.name in names:
                await draw(belfry, scene)
        await application.draw(
            belfry,
            DIRECTORY,
            names,
            lambda belfry, ada, bob: fill(belfry, SENT, ada, bob),
            lambda belfry, ada, li: fill(belfry, CHINESE, ada, li),
        )
    await desk.draw(DIRECTORY, names)
    print(f"{len(list(DIRECTORY.glob('*.png')))} screenshots are in {DIRECTORY}/")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
