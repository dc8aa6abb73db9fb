"""A bare client: ready-made bytes through aiosmtplib, `python -m tests.bench.sending.bare PORT CORE ...`.

It is what our workers would be without a queue, mails to write or anything to record, and so what they are judged by.
"""

import asyncio
import os
import sys
from time import monotonic

import uvloop
from aiosmtplib import SMTP

SENDER, RECIPIENT = "belfry@example.org", "ada@example.com"
LINE = b"All 412 tests are green, in 3 minutes and 20 seconds.\r\n"


async def send(port: int, connections: int, mails: int, size: int) -> float:
    """Mails a second."""
    content = b"Subject: Build passed\r\n\r\n" + LINE * (size // len(LINE))
    left = mails
    clients = [SMTP(hostname="127.0.0.1", port=port, start_tls=False) for _ in range(connections)]
    await asyncio.gather(*(client.connect() for client in clients))

    async def work(client: SMTP) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await client.sendmail(SENDER, RECIPIENT, content)

    began = monotonic()
    await asyncio.gather(*map(work, clients))
    took = monotonic() - began
    for client in clients:
        client.close()
    return mails / took


def main(port: str, core: str, connections: str, mails: str, size: str) -> None:
    os.sched_setaffinity(0, {int(core)})
    print(uvloop.run(send(int(port), int(connections), int(mails), int(size))))


if __name__ == "__main__":
    main(*sys.argv[1:])
