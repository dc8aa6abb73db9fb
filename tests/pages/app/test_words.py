"""What the application says, in both languages, and that it says nothing it has no words for."""

import re
from pathlib import Path
from typing import Any

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


SENTENCE = re.compile(r"""["'`>] ?[A-Z][a-z']+ [a-z]+""")


def modules_of(words: Path) -> list[Path]:
    """The modules that have these words: those in their folder, or of their name."""
    if words.name == "words.js":
        return [path for path in words.parent.glob("*.js") if path != words]
    return [words.with_name(words.name.replace(".words.js", ".js"))]


def uses_of(words: Path) -> set[str]:
    """The words that their modules ask for; `texts` are those under a module's own name."""
    asked = set()
    for module in modules_of(words):
        source = module.read_text()
        asked |= set(re.findall(r"(?<![\w./])words\.(?!js)(\w+)", source))
        asked |= {f"{module.stem}.{name}" for name in re.findall(r"(?<![\w./])texts\.(\w+)", source)}
    return asked


def names_of(words: dict[str, Any]) -> set[str]:
    inner = {f"{name}.{each}" for name, value in words.items() if isinstance(value, dict) for each in value}
    return words.keys() | inner


def test_no_module_says_anything_itself() -> None:
    for path in APP.rglob("*.js"):
        if path not in WORDS:
            source = re.sub(r"^\s*(//|/?\*).*$", "", path.read_text(), flags=re.MULTILINE)
            assert SENTENCE.findall(source) == [], path


@chromium.needed
async def test_both_languages_have_the_same_words_and_all_that_are_used(
    belfry: Serving, context: BrowserContext
) -> None:
    page = await context.new_page()
    await chromium.visit(page, f"{belfry.url}/page", "<!doctype html>")
    for path in WORDS:
        english, chinese = await page.evaluate(SHAPE, f"{belfry.url}/{path.relative_to(PAGES).as_posix()}")
        assert english == chinese, path
        assert uses_of(path) - names_of(english) == set(), path
