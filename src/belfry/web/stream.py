"""`GET /v1/stream`: events from a position in the database on.

The route is raw ASGI. On our own server its task hands the connection to the hub and is done.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import ClassVar, NamedTuple

from litestar import asgi
from litestar.connection import ASGIConnection
from litestar.datastructures import MultiDict, State
from litestar.datastructures.headers import Accept
from litestar.types import Receive, Scope, Send

from belfry.errors import BadInput, FieldError, Problem, TooMany, Unavailable
from belfry.realtime.formats import FORMATS, Dialect, Type, dialect
from belfry.realtime.hub import Hub
from belfry.realtime.protocol import Connection, connection
from belfry.realtime.stream import Stream
from belfry.settings import Settings
from belfry.web import headers
from belfry.web.given import Given
from belfry.web.identify import TAKES_TICKET, client_address
from belfry.web.places import AGAIN_SECONDS, full
from db.queries.sessions import Principal

RETRY_MS = 2_000
HIGH_WATER = 64 * 1024  # bytes waiting for a client; beyond it, it lags

UNBUFFERED = (b"x-accel-buffering", b"no")
OFFERED = {form.content_type: form for form in FORMATS.values()}


class NotAcceptable(Problem):
    status: ClassVar[int] = HTTPStatus.NOT_ACCEPTABLE
    title = "Not acceptable"


class MethodNotAllowed(Problem):
    status: ClassVar[int] = HTTPStatus.METHOD_NOT_ALLOWED
    title = "Method not allowed"


class Wanted(NamedTuple):
    """What a client asked for: in which format, which events, whether to stay; and by which credential."""

    dialect: Dialect
    poll: bool
    readable_by: bytes | None
    """Pages of which origin may read it, where it is not our own: `*` is any."""
    common: list[tuple[bytes, bytes]]
    """What all answers say: what goes through the transport says it itself."""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        content_type = f"{self.dialect.form.content_type}; charset=utf-8".encode()
        origin = self.readable_by
        site = [(b"access-control-allow-origin", origin), (b"vary", b"Origin")] if origin is not None else []
        return [(b"content-type", content_type), UNBUFFERED, *self.common, *site]

    @property
    def greeting(self) -> bytes:
        return self.dialect.form.greeting(RETRY_MS)


@asgi("/v1/stream", copy_scope=False, opt={TAKES_TICKET: True})
async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    request: ASGIConnection[object, Principal, None, State] = ASGIConnection(scope)
    given: Given = scope["litestar_app"].state.given
    hub = given.live.hub
    if scope.get("method") != "GET":
        raise MethodNotAllowed("A stream is opened with GET.", headers={"allow": "GET"})
    query = request.query_params  # parsed anew each time it is asked for
    wanted = _wanted(request, query, given.settings)
    address = client_address(scope)
    elsewhere = await given.presence.elsewhere(request.user.user_id)
    neighbours = await given.places.elsewhere(address)
    _have_room(request, hub, wanted, elsewhere=elsewhere, most=given.settings.streams_per_user)
    opened = Stream(
        hub,
        user_id=request.user.user_id,
        session_id=request.user.session_id,
        expires_at=request.user.expires_at,
        cursor=request.headers.get("last-event-id") or query.get("last_event_id"),
        dialect=wanted.dialect,
        poll=wanted.poll,
    )
    ours = connection(scope)
    if ours is not None and ours.gone:  # while the database said who it is
        return
    left = given.places.enter(address, elsewhere=neighbours)
    if ours is not None:
        _through_transport(opened, wanted, hub, ours, left)
    else:
        try:
            await _through_send(opened, wanted, hub, receive, send)
        finally:
            left()


def _wanted(
    request: ASGIConnection[object, Principal, None, State], query: MultiDict[str], settings: Settings
) -> Wanted:
    """What the query and the Accept header ask for.

    Raises:
        BadInput: a parameter has a value that is not known.
        NotAcceptable: none of the formats will do.
    """
    poll = query.get("poll", "0")
    if poll not in ("0", "1"):
        raise BadInput(FieldError("poll", "expected 0 or 1"))
    if (name := query.get("format")) is not None:
        form = FORMATS.get(name)
        if form is None:
            raise BadInput(FieldError("format", f"expected one of {', '.join(FORMATS)}"))
    else:
        accept = request.headers.get("accept", "*/*")
        accepted = accept if accept in OFFERED else Accept(accept).best_match(list(OFFERED))  # which takes its time
        if accepted is None:
            raise NotAcceptable(f"This route speaks {', '.join(OFFERED)}.")
        form = OFFERED[accepted]
    return Wanted(
        dialect(form, _types(query.get("types"))),
        poll == "1",
        _readable_by(request, query, settings.allowed_origins),
        headers.data(settings),
    )


def _readable_by(
    request: ASGIConnection[object, Principal, None, State], query: MultiDict[str], allowed: tuple[str, ...]
) -> bytes | None:
    """A ticket says who may read, and no cookie is looked at: so the page it was given to may be of any site."""
    if "ticket" in query:
        return b"*"
    origin = request.headers.get("origin")
    return origin.encode() if origin in allowed and origin is not None else None


def _types(names: str | None) -> frozenset[Type] | None:
    if names is None:
        return None
    try:
        return frozenset(map(Type, names.split(",")))
    except ValueError:
        raise BadInput(FieldError("types", f"expected some of {', '.join(Type)}, separated by commas")) from None


def _have_room(
    request: ASGIConnection[object, Principal, None, State], hub: Hub, wanted: Wanted, *, elsewhere: int, most: int
) -> None:
    """Raises a problem where one more stream is too many.

    While the process stops, the hub says goodbye to who stays: after anything but a 200, EventSource never comes back.
    """
    if hub.closing and wanted.poll:
        raise Unavailable("This process is shutting down; connect again.", retry_after=1)
    if len(hub.users.get(request.user.user_id, ())) + elsewhere >= most:
        detail = f"You have {most} streams open already. Close one, or share one between tabs."
        raise TooMany(detail, retry_after=AGAIN_SECONDS, headers=full("streams", most))


def _through_transport(opened: Stream, wanted: Wanted, hub: Hub, ours: Connection, left: Callable[[], None]) -> None:
    """Let the hub write straight to the connection, which tells it when it is gone."""
    said = [*wanted.headers, (b"connection", b"close")]
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(b"%b: %b\r\n" % header for header in said) + b"\r\n"
    opened.write = ours.take_over(head + wanted.greeting, opened, left)
    opened.hang_up = ours.hang_up
    hub.add(opened)


async def _through_send(opened: Stream, wanted: Wanted, hub: Hub, receive: Receive, send: Send) -> None:
    """Under another ASGI server: what the hub writes is buffered here, up to a bound, and sent by a task."""
    buffer = bytearray(wanted.greeting)
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
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": wanted.headers})
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
