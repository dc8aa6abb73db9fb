"""`GET /v1/stream`: Server-Sent Events from a position in the database on.

The route is raw ASGI. Its own task waits for the end; the hub writes.
"""

import asyncio
from http import HTTPStatus
from typing import ClassVar

from litestar import asgi
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.types import Receive, Scope, Send

from belfry.errors import Problem, TooMany, Unavailable
from belfry.realtime import frames
from belfry.realtime.hub import Hub
from belfry.realtime.protocol import Connection, connection
from belfry.realtime.stream import Stream
from belfry.web.given import Given
from db.queries.sessions import Principal

RETRY_MS = 2_000
HIGH_WATER = 64 * 1024  # bytes waiting for a client; beyond it, it lags

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    (b"connection", b"close"),
]
GREETING = frames.HEARTBEAT + frames.retry(RETRY_MS)


class NotAcceptable(Problem):
    status: ClassVar[int] = HTTPStatus.NOT_ACCEPTABLE
    title = "Not acceptable"


class MethodNotAllowed(Problem):
    status: ClassVar[int] = HTTPStatus.METHOD_NOT_ALLOWED
    title = "Method not allowed"


@asgi("/v1/stream", copy_scope=False)
async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    request: ASGIConnection[object, Principal, None, State] = ASGIConnection(scope)
    given: Given = scope["litestar_app"].state.given
    hub = given.live.hub
    _refuse(request, hub, most=given.settings.streams_per_user)
    opened = Stream(
        hub,
        user_id=request.user.user_id,
        session_id=request.user.session_id,
        expires_at=request.user.expires_at,
        cursor=request.headers.get("last-event-id") or request.query_params.get("last_event_id"),
    )
    ours = connection(scope)
    if ours is not None:
        await _through_transport(opened, hub, ours, receive)
    else:
        await _through_send(opened, hub, receive, send)


def _refuse(request: ASGIConnection[object, Principal, None, State], hub: Hub, *, most: int) -> None:
    """Raises a problem for what is not a request for a stream, or one too many."""
    if request.scope.get("method") != "GET":
        raise MethodNotAllowed("A stream is opened with GET.", headers={"allow": "GET"})
    accept = request.headers.get("accept", "*/*")
    if not any(kind in accept for kind in ("*/*", "text/*", "text/event-stream")):
        raise NotAcceptable("This route speaks text/event-stream.")
    if hub.closing:
        raise Unavailable("This process is shutting down; connect again.", retry_after=1)
    if len(hub.users.get(request.user.user_id, ())) >= most:
        raise TooMany(f"You have {most} streams open already. Close one, or share one between tabs.", retry_after=30)


async def _through_transport(opened: Stream, hub: Hub, ours: Connection, receive: Receive) -> None:
    """Let the hub write straight to the connection."""
    if ours.gone:  # while the database said who it is
        return
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(b"%b: %b\r\n" % header for header in HEADERS) + b"\r\n"
    opened.write = ours.take_over(head + GREETING, opened)
    opened.hang_up = lambda at_once: ours.hang_up(at_once=at_once)
    hub.add(opened)
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        hub.remove(opened)


async def _through_send(opened: Stream, hub: Hub, receive: Receive, send: Send) -> None:
    """Under another ASGI server: what the hub writes is buffered here, up to a bound, and sent by a task."""
    buffer = bytearray(GREETING)
    something = asyncio.Event()
    something.set()
    ending = False

    def write(data: bytes) -> None:
        buffer.extend(data)
        something.set()
        if len(buffer) > HIGH_WATER:
            opened.paused()

    def hang_up(at_once: bool) -> None:
        nonlocal ending
        ending = True
        something.set()
        if at_once:  # a client that reads nothing would keep `send` waiting for ever
            sending.cancel()

    async def send_all() -> None:
        headers = [header for header in HEADERS if header[0] != b"connection"]
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
        while buffer or not ending:
            await something.wait()
            something.clear()
            data, buffer[:] = bytes(buffer), b""
            await send({"type": "http.response.body", "body": data, "more_body": True})
            opened.resumed()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def disconnected() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    opened.write, opened.hang_up = write, hang_up
    sending, watching = asyncio.create_task(send_all()), asyncio.create_task(disconnected())
    hub.add(opened)  # before anything is awaited, so that the cap and a shutdown see it
    try:
        await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.remove(opened)
        sending.cancel()
        watching.cancel()
        for result in await asyncio.gather(sending, watching, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, OSError):  # an OSError: it was cut inside send
                raise result
