"""Pages of other sites: those the settings list may use the API, by a bearer token and never by a cookie.

Only what is under `/v1` is the API. An answer without these headers reaches no page but our own.
"""

from collections.abc import Iterable

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from belfry.settings import Settings

API = "/v1/"
METHODS = b"GET, POST, PATCH, DELETE"
HEADERS = b"authorization, content-type, idempotency-key, last-event-id"
EXPOSED = b"date, retry-after, ratelimit, ratelimit-policy, x-request-id"
REMEMBERED = b"600"  # seconds that a browser need not ask again

Headers = list[tuple[bytes, bytes]]


class Cors:
    """Answers what browsers ask before a request, and marks what pages of listed sites may read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._allowed = frozenset(origin.encode() for origin in settings.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = dict(scope["headers"]) if scope["path"].startswith(API) else {}
        origin = asked.get(b"origin", b"")

        async def readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _readable_by(origin, message["headers"])
            await send(message)

        if origin not in self._allowed:
            await self._app(scope, receive, send)
        elif scope.get("method") == "OPTIONS" and b"access-control-request-method" in asked:
            await _permit(origin, send)
        else:
            await self._app(scope, receive, readable)


def _readable_by(origin: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    vary = [value for name, value in headers if name.lower() == b"vary"]
    return [
        *(header for header in headers if header[0].lower() not in (b"vary", b"access-control-allow-origin")),
        (b"vary", b", ".join([*vary, b"Origin"])),
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", EXPOSED),
    ]


async def _permit(origin: bytes, send: Send) -> None:
    headers: Headers = [
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", HEADERS),
        (b"access-control-max-age", REMEMBERED),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": _readable_by(origin, headers)})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
