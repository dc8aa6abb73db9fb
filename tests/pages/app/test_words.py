"""What the application says, in both languages, and that it says nothing it has no words for."""

import re
from pathlib import Path

from playwright.async_api import BrowserContext

from belfry.web.pages import PAGES
from tests.realtime import chromium
from tests.serving import Serving

APP = PAGES / "app"
WORDS = sorted(path for path in APP.rglob("*.js") if path.name == "words.js" or path.name.endswith(".words.js"))

SHAPE = """async address => {
    const shape = value => value instanceof Function ? value.length
        : Array.isArray(value) ? value.length
        : value instanceof Object ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shape(each)]))
        : typeof value;
    const { WORDS } = await import(address);
    return [shape(WORDS.en), shape(WORDS.zh)];
}"""


def uses_of(words: Path) -> set[str]:
    """The words asked for by the modules that have these words: those in their folder, or of their name."""
    if words.name == "words.js":
        modules = [path for path in words.parent.glob("*.js") if path != words]
    else:
        modules = [words.with_name(words.name.replace(".words.js", ".js"))]
    return {name for module in modules for name in re.findall(r"(?<![\w./])words\.(?!js)(\w+)", module.read_text())}


@chromium.needed
async def test_both_languages_have_the_same_words_and_all_that_are_used(
    belfry: Serving, context: BrowserContext
) -> None:
    page = await context.new_page()
    await chromium.visit(page, f"{belfry.url}/page", "<!doctype html>")
    for path in WORDS:
        english, chinese = await page.evaluate(SHAPE, f"{belfry.url}/{path.relative_to(PAGES).as_posix()}")
        assert english == chinese, path
        assert uses_of(path) - english.keys() == set(), path
