"""Where the links to unsubscribe lead (RFC 8058): a page for people, and a POST that needs nothing but the link.

Mail programs and virus scanners open links by themselves, so GET changes nothing. These are pages for people, and not
in the OpenAPI document.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from markupsafe import Markup

from belfry.mail.phrases import Phrases, phrases
from belfry.mail.unsubscribe import PATH, UnsubscribeLinks
from db import Database
from db.queries import suppressions

TEMPLATES = Path(__file__).parent / "templates"
UNDO = "undo"

STYLE = """
:root { color-scheme: light dark; --page: #f4f5f8; --card: #fff; --edge: #e1e4eb; --ink: #191c23; --soft: #4b5362;
        --button: #3f4bc4; }
@media (prefers-color-scheme: dark) {
  :root { --page: #15171c; --card: #1e2128; --edge: #2e333d; --ink: #f0f2f6; --soft: #b3bac7; --button: #5965e0; }
}
body { margin: 0; background: var(--page); color: var(--ink);
       font: 16px/1.6 -apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, 'PingFang SC',
             'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif; }
main { max-width: 30rem; margin: 12vh auto 2rem; padding: 1.75rem 2rem 2rem; background: var(--card);
       border: 1px solid var(--edge); border-radius: 12px; box-sizing: border-box; }
h1 { margin: 0 0 .6rem; font-size: 1.3rem; line-height: 1.35; font-weight: 600; }
p { margin: 0; color: var(--soft); }
form { margin: 1.5rem 0 0; }
button { padding: .65rem 1.4rem; border: 1px solid var(--button); border-radius: 8px; background: var(--button);
         color: #fff; font: inherit; font-weight: 600; cursor: pointer; }
button.quiet { background: none; border-color: var(--edge); color: inherit; }
button:focus-visible { outline: 3px solid var(--button); outline-offset: 2px; }
@media (max-width: 32rem) { main { margin: 1rem; padding: 1.25rem; } }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}

Page = Response[str]


class UnsubscribeController(Controller):
    path = f"{PATH}/{{token:str}}"
    opt = {"exclude_from_auth": True}
    include_in_schema = False

    @get()
    async def look(
        self,
        token: FromPath[str],
        db: NamedDependency[Database],
        links: NamedDependency[UnsubscribeLinks],
        language: NamedDependency[str],
    ) -> Page:
        if (named := links.read(token)) is None:
            return _unknown(language)
        async with db.statement() as tx:
            found = await suppressions.subscribed(tx, *named)
        if found is None:
            return _unknown(language)
        theirs, subscribed = found
        return ask(phrases(theirs), token) if subscribed else unsubscribed(phrases(theirs), token)

    @post(status_code=200)
    async def unsubscribe(
        self,
        token: FromPath[str],
        db: NamedDependency[Database],
        links: NamedDependency[UnsubscribeLinks],
        language: NamedDependency[str],
    ) -> Page:
        """Whatever the body: RFC 8058 has a form say `List-Unsubscribe=One-Click`, in one of two encodings."""
        if (named := links.read(token)) is None:
            return _unknown(language)
        async with db.begin() as tx:
            theirs = await suppressions.unsubscribe(tx, *named)
        return _unknown(language) if theirs is None else unsubscribed(phrases(theirs), token)

    @post(f"/{UNDO}", status_code=200)
    async def resubscribe(
        self,
        token: FromPath[str],
        db: NamedDependency[Database],
        links: NamedDependency[UnsubscribeLinks],
        language: NamedDependency[str],
    ) -> Page:
        if (named := links.read(token)) is None:
            return _unknown(language)
        async with db.begin() as tx:
            theirs = await suppressions.resubscribe(tx, *named)
        if theirs is None:
            return _unknown(language)
        words = phrases(theirs)
        return _page(words, words.resubscribed_title, words.resubscribed_text)


def ask(words: Phrases, token: str) -> Page:
    """Before."""
    return _page(
        words,
        words.unsubscribe_title,
        words.unsubscribe_text,
        button=words.unsubscribe_button,
        action=f"{PATH}/{token}",
    )


def unsubscribed(words: Phrases, token: str) -> Page:
    """Afterwards, with the way back."""
    return _page(
        words,
        words.unsubscribed_title,
        words.unsubscribed_text,
        button=words.resubscribe_button,
        action=f"{PATH}/{token}/{UNDO}",
        quiet=True,
    )


def _unknown(language: str) -> Page:
    """It says of no reader which language that is; the browser does."""
    words = phrases(language)
    return _page(words, words.unknown_title, words.unknown_text, status=404)


def _page(
    words: Phrases,
    title: str,
    text: str,
    *,
    button: str = "",
    action: str = "",
    quiet: bool = False,
    status: int = 200,
) -> Page:
    given = {"words": words, "title": title, "text": text, "button": button, "action": action, "quiet": quiet}
    html = _template().render(given, style=Markup(STYLE))  # noqa: S704  # our own, and the hash is of exactly this
    return Response(html, status_code=status, media_type="text/html", headers=HEADERS)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("unsubscribe.html.jinja")
