"""Commands and replies on an open SMTP connection, in groups where the server takes them (RFC 2920)."""

import asyncio
from typing import NamedTuple

__all__ = ["Dialog", "Lost", "Reply"]

LONGEST_REPLIES = 32 * 1024


class Reply(NamedTuple):
    code: int
    text: str

    @property
    def positive(self) -> bool:
        return self.code < 400

    @property
    def taken(self) -> bool:
        return 200 <= self.code < 300

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Lost(Exception):
    """The connection ended, or what came on it was not a reply to us. It is closed."""


class Dialog(asyncio.Protocol):
    """Takes a connection over from whoever greeted the server on it.

    Whoever gives up waiting for a reply must `close`: the next would take that reply for its own.
    """

    def __init__(self, transport: asyncio.Transport, *, extensions: frozenset[str]) -> None:
        self.extensions = extensions
        self.groups = "pipelining" in extensions
        self._transport = transport
        self._buffer = b""
        self._text = b""
        self.replies: list[Reply] = []  # to what was asked last, as far as they have come
        self._wanted = 0
        self._waiter: asyncio.Future[list[Reply]] | None = None
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    def close(self) -> None:
        self._transport.close()

    async def ask(self, *commands: bytes) -> list[Reply]:
        """Send commands at once; the reply to each, or fewer if the connection ended after some.

        Raises:
            Lost: there was no reply at all.
            ValueError: a command has a line end in it.
        """
        if any(b"\r" in command or b"\n" in command for command in commands):
            raise ValueError("a command is one line")
        return await self._send(b"\r\n".join((*commands, b"")), len(commands))

    async def content(self, message: bytes) -> Reply:
        """Send what DATA announced (RFC 5321, 4.5.2), in lines that end in CRLF, and its end. Raises `Lost`."""
        dot_stuffed = message.replace(b"\r\n.", b"\r\n..")
        start = b"." if message.startswith(b".") else b""
        [reply] = await self._send(start + dot_stuffed + b".\r\n", 1)
        return reply

    async def _send(self, data: bytes, replies: int) -> list[Reply]:
        self._wanted, self.replies = replies, []
        if not self.is_open:
            raise Lost("connection lost")
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._waiter.done():  # nothing was asked, so nothing it says can be matched
            self.close()
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if not line[:3].isdigit() or len(self._text) > LONGEST_REPLIES:
                self._end(Lost(f"not an SMTP reply: {line[:80]!r}"))
                return
            self._text += (b"\n" if self._text else b"") + line[4:].strip()
            if line[3:4] != b"-":
                # Whatever it says is kept as text, and PostgreSQL's has no NUL.
                self.replies.append(Reply(int(line[:3]), self._text.decode("utf-8", "replace").replace("\0", "")))
                self._text = b""
        if len(self._buffer) > LONGEST_REPLIES or len(self.replies) > self._wanted:
            self._end(Lost("more than was asked for"))
        elif len(self.replies) == self._wanted:
            self._waiter.set_result(self.replies)

    def eof_received(self) -> bool:
        return False  # close

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(Lost(f"connection lost: {exc}" if exc else "connection lost"))

    def _end(self, error: Lost) -> None:
        self.close()
        if self._waiter is not None and not self._waiter.done():
            if self.replies:
                self._waiter.set_result(self.replies)
            else:
                self._waiter.set_exception(error)
