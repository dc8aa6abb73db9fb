"""uvicorn's HTTP protocol, able to hand its transport to a stream.

A stream that writes to the transport itself costs no task switch an event. It learns from the same object when the
client does not keep up, when the connection is gone, and when the server is about to stop.
"""

import socket
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

EXTENSION = "belfry.connection"

# A peer that vanished acknowledges nothing. The kernel then drops the connection and what is buffered for it.
UNACKNOWLEDGED_MS = 15_000

# What is buffered at the end may still go out; a client that takes nothing must not hold up the server's own end.
LINGER_SECONDS = 1.0


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


class StreamProtocol(HttpToolsProtocol):
    """Serves requests as uvicorn does, and offers itself to each in `scope["extensions"]`."""

    listener: Listener | None = None

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.scope["extensions"] = {EXTENSION: Connection(self, self.cycle)}  # type: ignore[dict-item]

    def take_over(self, request: RequestResponseCycle, head: bytes, listener: Listener) -> Callable[[bytes], None]:
        """Answer with `head` - status line and headers, to the empty line - and let `listener` write the rest.

        The body ends with the connection, so frames need no length of their own (RFC 9112, section 6.3), and requests
        that the client sent ahead of the answer are not looked at: `cycle` would be the last of them.
        """
        self.pipeline.clear()
        self.cycle = request
        self.cycle.response_started = True
        self.cycle.keep_alive = False
        self.listener = listener
        sock: socket.socket | None = self.transport.get_extra_info("socket")
        if (
            sock is not None
            and sock.family in (socket.AF_INET, socket.AF_INET6)
            and hasattr(socket, "TCP_USER_TIMEOUT")
        ):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        self.transport.write(head)
        return self.transport.write

    def hang_up(self, *, at_once: bool = False) -> None:
        """End the response; what is buffered is still sent, unless `at_once`."""
        self.cycle.response_complete = True
        self.cycle.message_event.set()
        if at_once:
            self.transport.abort()
        else:
            self.transport.close()
            self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        if self.listener is None:
            super().data_received(data)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.listener is not None:
            self.listener.paused()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.listener is not None:
            self.listener.resumed()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.listener is not None:
            self.listener.lost()

    def shutdown(self) -> None:
        if self.listener is not None:
            self.listener.stop()
        else:
            super().shutdown()


class Connection(NamedTuple):
    """The connection behind one request."""

    protocol: StreamProtocol
    request: RequestResponseCycle

    @property
    def gone(self) -> bool:
        return self.protocol.transport.is_closing()

    def take_over(self, head: bytes, listener: Listener) -> Callable[[bytes], None]:
        return self.protocol.take_over(self.request, head, listener)

    def hang_up(self, *, at_once: bool = False) -> None:
        self.protocol.hang_up(at_once=at_once)


def connection(scope: Any) -> Connection | None:
    """The connection behind a request, where this server is ours."""
    found: Connection | None = (scope.get("extensions") or {}).get(EXTENSION)
    return found
