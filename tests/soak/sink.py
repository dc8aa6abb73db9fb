"""The mail server of the soak: one port for each worker, so that its log says who sent what."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.smtp_sink import Fault, Mail, Sink
from tests.soak.evidence import Copy

PLACES = ("CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "DOT")
HEADER = re.compile(rb"^(Message-ID|Subject): (.*)\r$", re.MULTILINE)

THINKS = (0.0, 0.2)
"""Seconds between taking a mail and saying so: time enough to be killed in."""
UNKNOWN, GREYLISTED = "nobody", "later"
"""What addresses begin with that do not exist, and those that are put off every other time."""


class SoakSink(Sink):
    """Keeps of each mail what tells it apart, not its content."""

    def __init__(self) -> None:
        super().__init__(extensions=("8BITMIME", "AUTH PLAIN LOGIN"))
        self.ports: list[int] = []
        self._servers: list[asyncio.Server] = []
        self._asked: Counter[str] = Counter()
        self._kept: list[tuple[Mail, str, str]] = []

    @property
    def copies(self) -> list[Copy]:
        return [
            Copy(
                at=mail.taken_at,
                worker=worker_name(self.ports.index(mail.port)),
                message_id=message_id,
                recipient=mail.recipient,
                token=token,
                told_at=mail.told_at,
            )
            for mail, message_id, token in self._kept
        ]

    def offers(self, port: int) -> tuple[str, ...]:
        """Every other worker gives it commands in groups."""
        return (*self._extensions, "PIPELINING") if self.ports.index(port) % 2 == 0 else self._extensions

    def heard(self, command: str) -> None:
        pass

    def about(self, recipient: str) -> str:
        self._asked[recipient] += 1
        if recipient.startswith(UNKNOWN):
            return "550 5.1.1 no such user"
        if recipient.startswith(GREYLISTED) and self._asked[recipient] % 2:
            return "450 4.2.1 greylisted, try again"
        return "250 ok"

    async def take(self, mail: Mail) -> None:
        headers = {name: value.decode() for name, value in HEADER.findall(mail.raw)}
        mail.raw = b""
        self._kept.append((mail, headers[b"Message-ID"], headers[b"Subject"]))
        await asyncio.sleep(random.uniform(*THINKS))

    async def listen(self) -> None:
        """Listen, on the ports of the first time."""
        for port in self.ports:
            self._servers.append(await asyncio.start_server(self.serve, "127.0.0.1", port, limit=2**22, backlog=1000))

    async def refuse(self) -> None:
        """Close the ports and all connections."""
        for server in self._servers:
            server.close()
        self._servers = []
        self.hang_up()

    def freeze(self) -> None:
        for place in PLACES:
            self.always(place, Fault.HANG)

    def recover(self) -> None:
        """Behave again. Who was kept waiting is hung up on."""
        for place in PLACES:
            self.always(place, None)
        self.pace = 0.0
        self.thaw()


def worker_name(index: int) -> str:
    return f"worker {index + 1}"


@asynccontextmanager
async def sink_for(ports: list[int]) -> AsyncIterator[SoakSink]:
    sink = SoakSink()
    sink.ports = ports
    await sink.listen()
    try:
        yield sink
    finally:
        sink.recover()
        await sink.refuse()
