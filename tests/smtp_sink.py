"""An SMTP server that does as it is told, faults included."""

import asyncio
import ssl
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import Enum
from functools import cached_property

__all__ = ["Fault", "Mail", "Sink", "smtp_sink"]


class Fault(Enum):
    DROP = "close the connection instead of answering"
    HANG = "do not answer until `release` is called, then close the connection"
    DRIP = "answer as usual, at a byte in a tenth of a second"
    WAIT = "do not answer until `release` is called, then go on"


DRIP_SECONDS = 0.1  # a byte


class Slowly(str):
    """An answer that drips."""


class Mail:
    """`port` is the one it came in by; `told_at` when the client had been told that it was taken, if ever. `at` is
    the loop's time at which its content was complete.
    """

    def __init__(self, sender: str, recipient: str, raw: bytes, *, port: int) -> None:
        self.sender = sender
        self.recipient = recipient
        self.raw = raw
        self.port = port
        self.at = asyncio.get_running_loop().time()
        self.taken_at = time.time()
        self.told_at: float | None = None

    @cached_property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])


class Sink:
    """`mails` are those the server took, whether or not the client heard of it.

    The places where something can go wrong: CONNECT (the greeting), EHLO, AUTH, STARTTLS, MAIL, RCPT, DATA, BODY (after
    354, before the content is read) and DOT (after the content). With a `pace`, in seconds a byte, it speaks slowly.
    """

    pace = 0.0

    def __init__(self, *, extensions: tuple[str, ...] = ("8BITMIME",), tls: ssl.SSLContext | None = None) -> None:
        self.mails: list[Mail] = []
        self.commands: list[str] = []
        self.connections = 0
        self.port = 0
        self._extensions = extensions
        self._tls = tls
        self._next: defaultdict[str, deque[str | Fault]] = defaultdict(deque)
        self._always: dict[str, str | Fault] = {}
        self._changed = asyncio.Condition()
        self._reached: defaultdict[str, int] = defaultdict(int)
        self._released = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def once(self, place: str, *what: str | Fault) -> None:
        """Answer the next times so, each one once."""
        self._next[place].extend(what)

    def always(self, place: str, what: str | Fault | None) -> None:
        if what is None:
            self._always.pop(place, None)
        else:
            self._always[place] = what

    def release(self) -> None:
        self._released.set()

    def thaw(self) -> None:
        """Release those who wait now, but none who come to wait later."""
        self._released.set()
        self._released = asyncio.Event()

    def heard(self, command: str) -> None:
        self.commands.append(command)

    def about(self, recipient: str) -> str:
        """What to say to a recipient, unless the script says otherwise."""
        return "250 ok"

    async def reached(self, place: str, times: int = 1) -> None:
        """Wait until clients have come to a place so many times."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: self._reached[place] >= times)

    async def received(self, count: int) -> list[Mail]:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self.mails) >= count)
        return self.mails

    def hang_up(self) -> None:
        """Close every connection, as a restarting server does."""
        for writer in self._writers:
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            await Conversation(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def answer(self, place: str, usual: str) -> str:
        """What to say at a place.

        Raises:
            ConnectionError: the script says to close the connection.
        """
        self._reached[place] += 1
        async with self._changed:
            self._changed.notify_all()
        script = self._next[place]
        what = script.popleft() if script else self._always.get(place, usual)
        if what is Fault.DROP:
            raise ConnectionAbortedError
        if what is Fault.HANG:
            await self._released.wait()
            raise ConnectionAbortedError
        if what is Fault.WAIT:
            await self._released.wait()
            return usual
        if what is Fault.DRIP:
            return Slowly(usual)
        assert isinstance(what, str)
        return what

    async def take(self, mail: Mail) -> None:
        async with self._changed:
            self.mails.append(mail)
            self._changed.notify_all()

    def offers(self, port: int) -> tuple[str, ...]:
        """The extensions it offers those who come in by a port."""
        return self._extensions

    def greeting(self, port: int, *, secure: bool) -> str:
        offered = [*self.offers(port), *(["STARTTLS"] if self._tls and not secure else [])]
        lines = ["sink", *offered]
        return "\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines)

    @property
    def tls(self) -> ssl.SSLContext | None:
        return self._tls


class Conversation:
    def __init__(self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sink, self._reader, self._writer = sink, reader, writer
        self._sender = self._recipient = ""
        self._port: int = writer.get_extra_info("sockname")[1]

    async def say(self, text: str) -> None:
        """Answer. After 421 the server hangs up (RFC 5321, 3.8)."""
        line = text.encode() + b"\r\n"
        pace = DRIP_SECONDS if isinstance(text, Slowly) else self._sink.pace
        for piece in [bytes([byte]) for byte in line] if pace else [line]:
            self._writer.write(piece)
            await self._writer.drain()
            await asyncio.sleep(pace)
        if text.startswith("421"):
            raise ConnectionAbortedError

    async def run(self) -> None:
        await self.say(await self._sink.answer("CONNECT", "220 sink"))
        while line := await self._reader.readline():
            command = line.decode().rstrip("\r\n")
            self._sink.heard(command)
            match command.split(" ")[0].upper().split(":")[0]:
                case "EHLO":
                    secure = self._writer.get_extra_info("sslcontext") is not None
                    await self.say(await self._sink.answer("EHLO", self._sink.greeting(self._port, secure=secure)))
                case "STARTTLS" if self._sink.tls:
                    await self.say(await self._sink.answer("STARTTLS", "220 go on"))
                    await self._writer.start_tls(self._sink.tls)
                case "AUTH":
                    await self.say(await self._sink.answer("AUTH", "235 welcome"))
                case "MAIL":
                    self._sender, self._recipient = command, ""
                    await self.say(await self._sink.answer("MAIL", "250 ok"))
                case "RCPT":
                    to = command.partition("<")[2].partition(">")[0]
                    answer = await self._sink.answer("RCPT", self._sink.about(to))
                    self._recipient = to if answer.startswith("2") else ""
                    await self.say(answer)
                case "DATA":
                    await self.data()
                case "RSET" | "NOOP":
                    await self.say("250 ok")
                case "QUIT":
                    await self.say("221 bye")
                    return
                case _:
                    await self.say("500 what?")

    async def data(self) -> None:
        answer = await self._sink.answer("DATA", "354 go on" if self._recipient else "503 5.5.1 no recipient")
        await self.say(answer)
        if not answer.startswith("354"):
            return
        await self._sink.answer("BODY", "")
        raw = b""
        while (line := await self._reader.readline()) != b".\r\n":
            if not line:
                raise ConnectionAbortedError
            raw += line.removeprefix(b".")
        if not self._recipient:
            await self.say("554 5.5.1 no recipient")
            return
        mail = Mail(self._sender, self._recipient, raw, port=self._port)
        try:
            answer = await self._sink.answer("DOT", "250 taken")
        except ConnectionError:
            await self._sink.take(mail)
            raise
        if answer.startswith("2"):
            await self._sink.take(mail)
        await self.say(answer)
        mail.told_at = time.time()


@asynccontextmanager
async def smtp_sink(
    *,
    port: int = 0,
    extensions: tuple[str, ...] = ("8BITMIME",),
    tls: ssl.SSLContext | None = None,
    implicit_tls: bool = False,
    kind: type[Sink] = Sink,
) -> AsyncIterator[Sink]:
    sink = kind(extensions=extensions, tls=tls)
    server = await asyncio.start_server(
        sink.serve, "127.0.0.1", port, limit=2**22, ssl=tls if implicit_tls else None, backlog=1000
    )
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        sink.release()
        server.close()
        sink.hang_up()
        await server.wait_closed()
