"""A relay that takes everything at once: `python -m tests.bench.sending.sink FD CORE MILLISECONDS`.

Each of its replies waits some milliseconds, as one from the network does. `XSEE` asks how many mails it took, and
`XTIM` when it took those to addresses that begin with "timed", by the clock all processes of a machine share.
"""

import asyncio
import json
import os
import socket
import sys
from functools import partial
from time import monotonic
from typing import cast

import uvloop

EXTENSIONS = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
END = b"\r\n.\r\n"
TIMED = b"RCPT TO:<timed"


class Seen:
    def __init__(self) -> None:
        self.mails = 0
        self.times: dict[str, float] = {}


class Conversation(asyncio.Protocol):
    def __init__(self, seen: Seen, delay: float) -> None:
        self._seen = seen
        self._delay = delay
        self._rest = b""
        self._in_content = False
        self._timed = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        self._say(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        replies = b""
        while data:
            if self._in_content:
                end = data.find(END)
                if end < 0:
                    break
                data = data[end + len(END) :]
                self._take()
                replies += b"250 taken\r\n"
            else:
                line, found, rest = data.partition(b"\r\n")
                if not found:
                    break
                data = rest
                replies += self._answer(line)
        self._rest = data
        if replies:
            self._say(replies)

    def _answer(self, line: bytes) -> bytes:
        if line.startswith(TIMED):
            self._timed = line[9 : line.index(b">")].decode()
            return b"250 ok\r\n"
        match line[:4].upper():
            case b"MAIL" | b"RCPT":
                return b"250 ok\r\n"
            case b"DATA":
                self._in_content = True
                return b"354 go on\r\n"
            case b"EHLO":
                return EXTENSIONS
            case b"QUIT":
                return b"221 bye\r\n"
            case b"XSEE":
                return b"250 %d\r\n" % self._seen.mails
            case b"XTIM":
                return b"250 %b\r\n" % json.dumps(self._seen.times).encode()
            case _:
                return b"500 what?\r\n"

    def _take(self) -> None:
        self._in_content = False
        self._seen.mails += 1
        if self._timed:
            self._seen.times[self._timed] = monotonic() + self._delay
            self._timed = ""

    def _say(self, replies: bytes) -> None:
        if self._delay:
            self._loop.call_later(self._delay, self._transport.write, replies)
        else:
            self._transport.write(replies)


async def serve(sock: socket.socket, delay: float) -> None:
    seen = Seen()
    server = await asyncio.get_running_loop().create_server(partial(Conversation, seen, delay), sock=sock)
    await server.serve_forever()


def main(descriptor: str, core: str, milliseconds: str) -> None:
    os.sched_setaffinity(0, {int(core)})
    uvloop.run(serve(socket.socket(fileno=int(descriptor)), float(milliseconds) / 1e3))


if __name__ == "__main__":
    main(*sys.argv[1:])
