"""A mail catcher: an SMTP server that delivers nothing and keeps the newest mails for people to look at."""

import asyncio
import email.message
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiosmtpd import handlers
from aiosmtpd.smtp import SMTP

from belfry.mail.caught import CaughtMail, caught, newest

LIMIT = 1_000
"""Mails kept. Older ones are removed as new ones come in: a benchmark must not fill the disk."""


class Mailbox:
    """`url` is what `BELFRY_SMTP_URL` takes."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory = directory
        self.url = url

    def mails(self) -> list[CaughtMail]:
        """What was caught, newest first."""
        return caught(self.directory)


@asynccontextmanager
async def running(directory: Path, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Mailbox]:
    """Catch mail into the Maildir `directory` for the length of the block. Port 0: any free one, see `url`."""
    for part in ("tmp", "new", "cur"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)  # letters to people
    keep = _KeepNewest(directory)
    connections: set[_Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(keep, connections), host, port)
    try:
        yield Mailbox(directory, f"smtp://{host}:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()
        for connection in list(connections):  # workers keep theirs open; wait_closed() would wait for them
            connection.end()
        await server.wait_closed()


class _KeepNewest(handlers.Mailbox):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.mailbox.clean()  # what a killed catcher had half-written
        self._kept = deque(path.name for _, path in reversed(newest(directory)))
        self._forget()

    def handle_message(self, message: email.message.Message) -> None:
        self._kept.append(self.mailbox.add(message))
        self._forget()

    def _forget(self) -> None:
        while len(self._kept) > LIMIT:
            self.mailbox.discard(self._kept.popleft())


class _Connection(SMTP):
    """One client. It knows its fellows, so that all can be ended."""

    def __init__(self, keep: _KeepNewest, connections: "set[_Connection]") -> None:
        super().__init__(keep, hostname="belfry-mail-catcher", enable_SMTPUTF8=True)
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        super().connection_lost(error)

    def end(self) -> None:
        if self.transport is not None:
            self.transport.close()
