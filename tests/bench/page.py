"""The page: from the start of a navigation until the first row of an inbox has been painted, in Chromium.

By turns: the application with nothing kept, the application as one comes back to it, and a bare page with one row,
which is what a browser costs by itself.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

import httpx
import msgspec
from playwright.async_api import Browser, async_playwright

from belfry.accounts.login import open_session
from belfry.accounts.tokens import Tokens
from belfry.web.identify import cookie_name
from db.models import Role
from tests.bench.report import Report, figure
from tests.bench.stage import Stage
from tests.realtime.chromium import ARGUMENTS, CHROMIUM

MOST = 300  # milliseconds until the application is there, with nothing kept
BOUND = 0.3  # between rounds
COLD, WARM, BARE = "application, nothing kept", "application, again", "bare page, nothing kept"

BARE_PAGE = b'<!doctype html><html lang="en"><title>Bare</title><p class="row">Build passed</p></html>'
# The frame after the one in which a row is drawn: by then it can be seen.
WATCH = """
new MutationObserver((_, observer) => {
    if (!document.querySelector('.row')) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => (window.painted = performance.now())));
}).observe(document, {childList: true, subtree: true});
"""
FETCHED = """() => {
    const parts = performance.getEntriesByType('resource').filter(each => !each.name.includes('/v1/stream'));
    const [page] = performance.getEntriesByType('navigation');
    return [parts.length + 1, [page, ...parts].reduce((sum, each) => sum + each.transferSize, 0)];
}"""


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """Each round loads each page so many times."""

    rounds: int = 5
    loads: int = 7
    warm_up: int = 2
    items: int = 60


FULL = Size()
QUICK = Size(rounds=2, loads=2, warm_up=1, items=5)


class Loaded(msgspec.Struct, frozen=True):
    """Milliseconds from the start of the navigation to the first row, and what was fetched for it, in bytes."""

    ms: float
    requests: int
    size: int


async def run(stage: Stage, size: Size) -> Report:
    if CHROMIUM is None:
        sys.exit("This needs Chromium: apt-get install chromium")
    task = stage.progress.add_task("page: loading, and waiting for the first row", total=size.rounds)
    rounds: list[list[dict[str, Loaded]]] = []
    async with (
        stage.serving() as web,
        _bare() as bare,
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as browser,
    ):
        address = f"http://127.0.0.1:{web.port}/"
        cookie = await _inbox(stage, address, size.items)
        for number in range(size.rounds + 1):
            loads = size.loads if number else size.warm_up
            each = [await _load(browser, address, bare, cookie_name(stage.settings), cookie) for _ in range(loads)]
            if number:
                rounds.append(each)
                stage.progress.advance(task)
    return Report(
        benchmark="page",
        title=f"Until the first of {size.items} notifications is seen: {size.rounds * size.loads} loads of each page",
        figures=[
            figure(what, "ms", [median(load[what].ms for load in each) for each in rounds], bound=BOUND, most=most)
            for what, most in ((COLD, MOST), (WARM, None), (BARE, None))
        ],
        details={what: _all(rounds, what) for what in (COLD, WARM, BARE)},
        notes=["The browser runs already; with nothing kept, its profile is new."],
    )


@asynccontextmanager
async def _bare() -> AsyncIterator[str]:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {len(BARE_PAGE)}\r\n\r\n".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head + BARE_PAGE)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def _inbox(stage: Stage, address: str, items: int) -> str:
    """Make an inbox with so many notifications; what its owner's cookie holds."""
    async with stage.database() as db:
        owner = await stage.user(db, "reader@example.com", Role.SENDER)
        tokens = Tokens(stage.settings.secret_key, seconds=stage.settings.access_token_seconds)
        async with db.begin() as tx:
            _, login = await open_session(tx, tokens, stage.settings, owner.id, user_agent="bench")
    async with httpx.AsyncClient(base_url=address, headers={"authorization": f"Bearer {owner.token}"}) as client:
        for number in range(items):
            sent = {"title": f"Build {number} passed", "content": "All 412 tests are green.", "channels": ["inbox"]}
            (await client.post("v1/notifications", json=sent)).raise_for_status()
    return login.cookie


async def _load(browser: Browser, address: str, bare: str, name: str, cookie: str) -> dict[str, Loaded]:
    loaded: dict[str, Loaded] = {}
    for pages in ({BARE: bare}, {COLD: address, WARM: address}):
        context = await browser.new_context()
        await context.add_init_script(WATCH)
        await context.add_cookies([{"name": name, "value": cookie, "url": address}])
        for what, url in pages.items():
            page = await context.new_page()
            await page.goto(url, wait_until="commit")
            painted = await (await page.wait_for_function("() => window.painted")).json_value()
            loaded[what] = Loaded(painted, *await page.evaluate(FETCHED))
            await page.close()
        await context.close()
    return loaded


def _all(rounds: list[list[dict[str, Loaded]]], what: str) -> dict[str, float]:
    loaded = [load[what] for each in rounds for load in each]
    return {
        "min (ms)": min(each.ms for each in loaded),
        "max (ms)": max(each.ms for each in loaded),
        "requests": median(each.requests for each in loaded),
        "KiB": median(each.size for each in loaded) / 1024,
    }
