"""What every answer tells browsers beside its content: what a page may do, who may embed it, and what is kept.

An answer's own headers win: the bell's files, which pages of any site load, and the page of an unsubscribe link know
better.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from litestar.types import Message, Scope

from belfry.settings import Settings

__all__ = ["data", "hook"]

Header = tuple[bytes, bytes]

# Our pages are made of our own files: no inline script or style, nothing from elsewhere, in nobody's frame.
PAGE_POLICY = b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
# Everything else is data. A browser that is led to show it as a page runs and loads nothing.
DATA_POLICY = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGES = (b"text/html", b"text/javascript")  # a worker lives under the policy that its script came with

YEAR = 365 * 24 * 3600


def data(settings: Settings) -> list[Header]:
    """What an answer says that is not a page."""
    return [*_everywhere(settings), (b"content-security-policy", DATA_POLICY)]


def hook(settings: Settings) -> Callable[[Message, Scope], Awaitable[None]]:
    """A hook of Litestar's that adds to an answer what it does not say itself."""
    of_pages = [*_everywhere(settings), (b"content-security-policy", PAGE_POLICY)]
    of_data = data(settings)

    async def add(message: Message, _: Scope) -> None:
        # 304 says that what the browser keeps is still good, and replaces the headers that it names (RFC 9111, 3.2).
        if message["type"] != "http.response.start" or message["status"] == HTTPStatus.NOT_MODIFIED:
            return
        own = {name.lower(): value for name, value in message["headers"]}
        wanted = of_pages if own.get(b"content-type", b"").startswith(PAGES) else of_data
        message["headers"] = [*message["headers"], *(header for header in wanted if header[0] not in own)]

    return add


def _everywhere(settings: Settings) -> list[Header]:
    return [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"cache-control", b"no-store"),
        *([(b"strict-transport-security", b"max-age=%d" % YEAR)] if settings.secure and not settings.local else []),
    ]
