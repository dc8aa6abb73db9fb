"""The pages of the application as people see them; drawn by `just screenshots`, to be looked at."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import expect

from tests.pages.app.application import Application, application
from tests.pages.browser import browser, log_in
from tests.people import Person
from tests.serving import Serving

DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}
TOUCH: dict[str, Any] = {"has_touch": True, "is_mobile": True}

DRAWN = "new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))"

Act = Callable[[Application], Awaitable[None]]
Stock = Callable[[Serving, Person, Person], Awaitable[None]]


class Scene(msgspec.Struct, frozen=True):
    """A picture: of which page, for whom, and what was done there first."""

    name: str
    path: str = "#/"
    stranger: bool = False
    language: str = "en"
    full: bool = False
    act: Act | None = None
    ready: str = "main h1"


async def open_one(tab: Application) -> None:
    await tab.row("Grace commented on “Parser, third attempt”").locator(".main").click()
    await expect(tab.detail.locator("h1")).to_be_visible()


async def open_first(tab: Application) -> None:
    await tab.rows.nth(1).locator(".main").click()
    await expect(tab.detail.locator("h1")).to_be_visible()


async def select_two(tab: Application) -> None:
    await tab.press("j", "x", "j", "x")
    await expect(tab.page.locator(".selection")).to_be_visible()


async def search(tab: Application) -> None:
    await tab.page.get_by_label("Search titles").fill("nothing of the kind")
    await expect(tab.page.get_by_text("Nothing found")).to_be_visible()


async def delete_one(tab: Application) -> None:
    await tab.press("j", "j", "e")
    await expect(tab.toast).to_be_visible()


async def ask_for_help(tab: Application) -> None:
    await tab.press("?")


async def open_menu(tab: Application) -> None:
    if await tab.page.locator(".menu").is_visible():
        await tab.page.locator(".menu").click()


async def fill_in_badly(tab: Application) -> None:
    await tab.page.get_by_label("E-mail address").fill("grace@example.com")
    await tab.page.get_by_label("New password").fill("short")
    await tab.button("Create account").click()
    await expect(tab.page.get_by_label("New password")).to_have_attribute("aria-invalid", "true")


SCENES = [
    Scene("inbox", act=open_one, ready=".row"),
    Scene("inbox-list", ready=".row"),
    Scene("inbox-chinese", language="zh-Hans", act=open_first, ready=".row"),
    Scene("inbox-selection", act=select_two, ready=".row"),
    Scene("inbox-search", act=search, ready=".row"),
    Scene("inbox-deleted", act=delete_one, ready=".row"),
    Scene("inbox-help", act=ask_for_help, ready=".row"),
    Scene("inbox-gone", path="#/n/999999", ready=".detail h1"),
    Scene("menu", act=open_menu, ready=".row"),
    Scene("settings", path="#/settings", full=True, ready=".devices li"),
    Scene("settings-chinese", path="#/settings", language="zh-Hans", full=True, ready=".devices li"),
    Scene("sign-in", stranger=True),
    Scene("sign-in-chinese", stranger=True, language="zh-Hans"),
    Scene("register", path="#/register", stranger=True, act=fill_in_badly),
    Scene("forgot", path="#/forgot", stranger=True),
    Scene("link-void", path="#/reset/none", stranger=True),
    Scene("missing", path="#/nowhere"),
]


README = [("inbox.png", SCENES[0], DESK, "light"), ("inbox-phone.png", SCENES[1], PHONE, "dark")]


def look(size: dict[str, int], scheme: str, scale: int) -> dict[str, Any]:
    return {"viewport": size, "color_scheme": scheme, "device_scale_factor": scale, "reduced_motion": "reduce"}


async def draw(
    belfry: Serving, directory: Path, names: list[str], stock: Stock, stock_chinese: Stock, scenes: list[Scene] = SCENES
) -> None:
    """Draw every scene in light and dark, on a desk and on a phone.

    `names` are of scenes; none: all of them. "readme" draws those in the README, into docs/.
    """
    async with (
        belfry.person("ada@example.net", role="sender", name="Ada Lovelace") as ada,
        belfry.person("bob@example.net", name="Bob Frost") as bob,
        belfry.person("li@example.net", name="李雷") as li,
    ):
        await li.client.patch("/v1/me", json={"language": "zh-Hans"})
        await stock(belfry, ada, bob)
        await stock_chinese(belfry, ada, li)
        if "readme" in names:
            for name, scene, size, scheme in README:
                await _draw(belfry, scene, bob, look(size, scheme, 1), Path("docs") / name)
        for scheme in ("light", "dark"):
            for device, size in (("desk", DESK), ("phone", PHONE)):
                for scene in scenes:
                    if not names or scene.name in names:
                        path = directory / f"app-{scene.name}-{device}-{scheme}.png"
                        await _draw(belfry, scene, bob if scene.language == "en" else li, look(size, scheme, 2), path)


async def _draw(belfry: Serving, scene: Scene, who: Person, seen: dict[str, Any], path: Path) -> None:
    touch = TOUCH if seen["viewport"] is PHONE else {}
    async with browser(locale="zh-CN" if scene.language != "en" else "en-GB", **seen, **touch) as context:
        if not scene.stranger:
            await log_in(context, belfry.url, who.email)
        async with application(context, belfry.url, scene.path) as tab:
            await tab.page.locator(scene.ready).first.wait_for()
            if scene.act is not None:
                await scene.act(tab)
            await tab.page.evaluate(DRAWN)
            await tab.page.screenshot(path=path, full_page=scene.full)
