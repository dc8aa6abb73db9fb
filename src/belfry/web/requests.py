"""Every request has an id, which the lines it logs carry, and its answer unless that is a stream.

What changes something is logged itself.
"""

import secrets
from time import perf_counter
from typing import Any

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from belfry import log as logs
from belfry.web.identify import SAFE_METHODS

HEADER = b"x-request-id"

log = structlog.get_logger()


class Requests:
    """An id that a client sends is not taken over: it could hold anything, and be anybody's.

    Of paths only the pattern is logged, and of what stands in them only numbers: a link to unsubscribe is a secret.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status, request_id = perf_counter(), 0, secrets.token_hex(8)
        logs.about(request_id=request_id)

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER, request_id.encode())]
            await send(message)

        await self._app(scope, receive, told)
        method = scope.get("method")
        if method not in SAFE_METHODS:
            found: dict[str, Any] = scope.get("path_params") or {}
            numbers = {name: value for name, value in found.items() if isinstance(value, int)}
            log.info(
                "request",
                method=method,
                route=scope.get("path_template"),
                status=status,
                ms=round((perf_counter() - began) * 1000, 1),
                **numbers,
            )
