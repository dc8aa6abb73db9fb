"""uvicorn's HTTP protocol, able to hand its transport to a stream.

A stream that writes to the transport itself costs no task switch an event. It learns from the same object when the
client does not keep up, when the connection is gone, and when the server is about to stop.
"""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

EXTENSION = "belfry.connection"

# A peer that vanished acknowledges nothing. The kernel drops the connection then, and what is buffered for it: with a
# heartbeat every 5 s, within 15 s. Its own questions on a silent connection are for streams without a heartbeat only.
# After a broadcast thousands of connections are silent from the same moment, and as many questions at once overflow the
# queues on their way: connections that were well were seen to be dropped.
UNACKNOWLEDGED_MS = 9_000
QUIET_SECONDS = 7
ASK_AGAIN_SECONDS = 2

LARGEST_HEAD = 32 * 1024  # bytes of a request's first line and headers: a long token, many cookies, and a long address
HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/problem+json\r\nconnection: close\r\n\r\n"
    b'{"type":"about:blank","title":"Request header fields too large","status":431,'
    b'"detail":"The address and the headers have more than 32 KiB.","errors":[]}'
)

# What is buffered at the end may still go out, also to who reads slowly; but nobody holds up the server's own end.
END_SECONDS = 30.0
SHUTDOWN_SECONDS = 1.0


class Listener(Protocol):
    """What happens to a connection, to whom it was handed over. Called in the middle of other work: only take note."""

    def paused(self) -> None:
        """More is buffered for the client than it should be."""

    def resumed(self) -> None:
        """The client has taken most of it."""

    def lost(self) -> None:
        """The connection is gone."""

    def stop(self) -> None:
        """The server is shutting down: say goodbye and hang up."""


class HeadTooLarge(Exception):
    """Of a request; the parser passes it on as an error of its own."""


class StreamProtocol(HttpToolsProtocol):
    """Serves requests as uvicorn does, and offers itself to each in `scope["extensions"]`.

    A request's head is bounded: uvicorn would keep whatever comes, before anybody asks from whom.
    """

    listener: Listener | None = None
    head = 0  # bytes of this request's first line and headers, trailers among them
    unfinished = 0  # bytes received of what the parser keeps until it is whole
    left: Callable[[], None]  # what the listener's side counts; to be called when the connection is gone
    _ending: asyncio.TimerHandle | None = None

    def on_message_begin(self) -> None:
        self.head = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._keep(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._keep(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self.unfinished = 0
        super().on_headers_complete()
        self.scope["extensions"] = {EXTENSION: Connection(self, self.cycle)}  # type: ignore[dict-item]

    def on_body(self, body: bytes) -> None:
        self.unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.unfinished = 0
        super().on_message_complete()

    def _keep(self, size: int) -> None:
        self.head += size
        if self.head > LARGEST_HEAD:
            raise HeadTooLarge

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, or one whose head is too large."""
        if self.head <= LARGEST_HEAD and self.unfinished <= LARGEST_HEAD:
            super().send_400_response(msg)
            return
        self.transport.write(HEAD_TOO_LARGE)
        self.transport.close()

    def take_over(
        self, request: RequestResponseCycle, head: bytes, listener: Listener, left: Callable[[], None]
    ) -> Callable[[bytes], None]:
        """Answer with `head` - status line and headers, to the empty line - and let `listener` write the rest.

        `left` is called when the connection is gone.

        The body ends with the connection, so frames need no length of their own (RFC 9112, section 6.3), and requests
        that the client sent ahead of the answer are not looked at. The request's own task may end at once.
        """
        self.pipeline.clear()
        self.flow.resume_reading()  # what the client sent ahead may have stopped it, and then nobody hears it go
        request.response_started = request.response_complete = True
        self.listener, self.left = listener, left
        _notice_a_vanished_peer(self.transport.get_extra_info("socket"))
        self.transport.write(head)
        self.loop.call_soon(self._forget_the_request)
        return self.transport.write

    def hang_up(self, at_once: bool) -> None:
        """End the response; what is buffered is still sent, unless `at_once`."""
        if at_once:
            self.transport.abort()
        else:
            self.transport.close()
            self._abort_in(END_SECONDS)

    def _abort_in(self, seconds: float) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._ending = self.loop.call_later(seconds, self.transport.abort)

    def _forget_the_request(self) -> None:
        """Let go of what a stream has no use for: with thousands of streams it is most of their memory."""
        self.scope = self.headers = self.cycle = self.parser = self.flow = None  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self.listener is not None:
            return
        self.unfinished += len(data)
        super().data_received(data)
        if self.unfinished > LARGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("")

    def pause_writing(self) -> None:
        if self.listener is not None:
            self.listener.paused()
        else:
            super().pause_writing()

    def resume_writing(self) -> None:
        if self.listener is not None:
            self.listener.resumed()
        else:
            super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._ending is not None:
            self._ending.cancel()
        if self.listener is not None:
            self.listener.lost()
            self.left()

    def shutdown(self) -> None:
        if self.listener is not None:
            self.listener.stop()
            self._abort_in(SHUTDOWN_SECONDS)
        else:
            super().shutdown()


def _notice_a_vanished_peer(sock: socket.socket | None) -> None:
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, QUIET_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, ASK_AGAIN_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)


class Connection(NamedTuple):
    """The connection behind one request."""

    protocol: StreamProtocol
    request: RequestResponseCycle

    @property
    def gone(self) -> bool:
        return self.protocol.transport.is_closing()

    def take_over(self, head: bytes, listener: Listener, left: Callable[[], None]) -> Callable[[bytes], None]:
        return self.protocol.take_over(self.request, head, listener, left)

    @property
    def hang_up(self) -> Callable[[bool], None]:
        return self.protocol.hang_up


def connection(scope: Any) -> Connection | None:
    """The connection behind a request, where this server is ours."""
    found: Connection | None = (scope.get("extensions") or {}).get(EXTENSION)
    return found
