"""What the application weighs, and that ten thousand notifications are no more than ten."""

import re
from pathlib import Path

import httpx
from playwright.async_api import expect

from belfry.web.pages import PAGES, files
from db import Database
from tests.inbox.test_search import fill
from tests.pages.app.application import signed_in
from tests.people import Person
from tests.realtime import chromium
from tests.serving import Serving

FORBIDDEN = ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "<style", " style=", "@import", "url(")
LIMIT = 100 * 1024  # bytes

# what was transferred until the rows were there
LOADED = """async () => {
    const entries = performance.getEntriesByType('resource').filter(each => !each.name.includes('/v1/'));
    const [page] = performance.getEntriesByType('navigation');
    return [page, ...entries].reduce((sum, each) => sum + each.transferSize, 0);
}"""


async def test_every_part_is_served_to_our_own_pages_only(belfry: Serving) -> None:
    async with belfry.anonymous() as client:
        page = await client.get("/")
        assert page.headers["content-security-policy"].startswith("default-src 'self'")
        assert "unsafe" not in page.headers["content-security-policy"]
        for name in (name for name in files() if name.startswith("app/")):
            answer = await client.get(f"/{name}")
            assert answer.status_code == 200, name
            assert "access-control-allow-origin" not in answer.headers
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert (await client.get("/app/none.js")).status_code == 404
        assert (await client.get("/app/..%2fbell.js")).status_code == 404


async def test_what_the_page_names_is_kept_for_good_and_never_another(belfry: Serving) -> None:
    async with belfry.anonymous() as client:
        page = await client.get("/")
        [version] = set(re.findall(r'"v/([\w-]+)/', page.text))
        named = re.findall(r'"(v/.*?)"', page.text)
        assert {name.removeprefix(f"v/{version}/") for name in named} >= {"app/main.js", "app/styles.css"}
        assert page.headers["cache-control"] == "no-cache"
        for name in named:
            answer = await client.get(f"/{name}")
            assert answer.status_code == 200, name
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        other = await client.get("/v/another/app/main.js")  # of a process that is older or newer
        assert (other.status_code, other.headers["cache-control"]) == (200, "no-cache")
        assert (await client.get(f"/v/{version}/app/none.js")).status_code == 404


async def test_the_icon_carries_the_badge(belfry: Serving) -> None:
    async def icon(client: httpx.AsyncClient, query: str) -> str:
        return (await client.get(f"/app/icon.svg{query}")).text

    async with belfry.anonymous() as client:
        assert "<text" not in await icon(client, "")
        assert "<text" not in await icon(client, "?unread=-3")
        assert ">7</text>" in await icon(client, "?unread=7")
        assert ">∞</text>" in await icon(client, "?unread=1000000")
        assert (await client.get("/app/icon.svg?unread=x")).status_code == 422


def test_no_markup_is_made_of_text_and_nothing_is_loaded_from_elsewhere() -> None:
    for path in (PAGES / "app").rglob("*"):
        if path.suffix not in (".js", ".css", ".html"):
            continue
        source = path.read_text()
        for forbidden in FORBIDDEN:
            assert forbidden not in source, (path, forbidden)
        assert "//" not in source.replace("// ", "").replace("//\n", "").replace("https://belfry", ""), path


def needed_for(path: Path) -> set[Path]:
    """A module and all that it imports at once."""
    found, ahead = set(), [path]
    while ahead:
        here = ahead.pop()
        if here not in found:
            found.add(here)
            ahead += [(here.parent / name).resolve() for name in re.findall(r'from "(\..*?)"', here.read_text())]
    return found


def test_all_that_the_inbox_needs_is_fetched_at_once() -> None:
    """The page names every module that it and the inbox import, so that no module waits for another to be read."""
    page = (PAGES / "app/index.html").read_text()
    named = set(re.findall(r'(?:modulepreload" href|module" src)="(.*?)"', page))
    modules = needed_for(PAGES / "app/main.js") | needed_for(PAGES / "app/pages/inbox/page.js")
    assert named == {path.relative_to(PAGES).as_posix() for path in modules}


def test_all_pages_together_are_light() -> None:
    """Every page that somebody may open in a day, the inbox and both languages included."""
    modules = set[Path]().union(*(needed_for(path.resolve()) for path in (PAGES / "app").rglob("*.js")))
    names = {path.relative_to(PAGES).as_posix() for path in modules} | {name for name in files() if name[:4] == "app/"}
    assert sum(len(files()[name].compressed[1]) for name in names) < LIMIT


@chromium.needed
async def test_the_inbox_is_light(belfry: Serving, ada: Person, bob: Person) -> None:
    await ada.send("Here", to=bob.id)
    async with signed_in(belfry.url, bob.email, "health/live") as tab:
        await tab.page.goto(belfry.url)
        await tab.row("Here").wait_for()
        assert 10_000 < await tab.page.evaluate(LOADED) < LIMIT


@chromium.needed
async def test_ten_thousand_notifications_are_no_more_than_ten(
    belfry: Serving, db: Database, ada: Person, bob: Person
) -> None:
    await fill(db, bob, 10_000)
    async with signed_in(belfry.url, bob.email, viewport={"width": 1280, "height": 900}) as tab:
        page = tab.page
        await expect(tab.titles.first).to_have_text("Build 10000")
        await expect(page).to_have_title("(99+) Inbox · Belfry")
        rows = page.locator(".scroll > ul")
        for loaded in range(50, 550, 50):
            await expect(rows).to_have_attribute("style", f"--count: {loaded};")
            await page.evaluate("document.querySelector('.scroll').scrollTop = 1e9")
        await expect(rows).to_have_attribute("style", "--count: 550;")
        await page.wait_for_function("document.elementFromPoint(500, 400).closest('.row')")  # drawn with the next frame
        assert await tab.rows.count() < 60  # only those in sight are there
        before = await page.evaluate("document.querySelector('.scroll').scrollTop")
        top = await page.evaluate("document.elementFromPoint(500, 400).closest('.row').textContent")
        await ada.send("Live", to=bob.id)
        await expect(page.get_by_text("10,001 unread")).to_be_visible()
        assert await page.evaluate("document.querySelector('.scroll').scrollTop") > before
        assert await page.evaluate("document.elementFromPoint(500, 400).closest('.row').textContent") == top

        await page.set_viewport_size({"width": 390, "height": 780})  # there is room for one of list and detail
        place = await page.evaluate("document.querySelector('.scroll').scrollTop")
        await page.mouse.click(200, 500)
        await expect(tab.detail.locator("h1")).to_be_focused()
        await tab.button("Back to the list").click()
        await expect(tab.rows.locator(".main:focus")).to_be_in_viewport()
        assert await page.evaluate("document.querySelector('.scroll').scrollTop") == place
        assert await page.evaluate("document.documentElement.scrollWidth") == 390

        await page.get_by_label("Search titles").fill("needle")
        await tab.shows("The needle")
