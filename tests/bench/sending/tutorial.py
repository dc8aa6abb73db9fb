"""The worker of a tutorial: `python -m tests.bench.sending.tutorial REDIS_URL PORT CORE MAILS`.

It takes one mail at a time from a list in Redis, builds it with the standard library, and opens a connection for it.
"""

import json
import os
import smtplib
import sys
from email.message import EmailMessage
from time import monotonic

from redis import Redis

LIST = "tutorial"


def work(redis: "Redis", port: int, mails: int) -> float:
    """Mails a second."""
    began = monotonic()
    for _ in range(mails):
        _, raw = redis.blpop([LIST])  # type: ignore[misc]
        mail = json.loads(raw)
        message = EmailMessage()
        message["From"] = "Belfry <belfry@example.org>"
        message["To"] = mail["to"]
        message["Subject"] = mail["title"]
        message.set_content(mail["content"])
        message.add_alternative(f"<h1>{mail['title']}</h1><p>{mail['content']}</p>", subtype="html")
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            smtp.send_message(message)
    return mails / (monotonic() - began)


def main(url: str, port: str, core: str, mails: str) -> None:
    os.sched_setaffinity(0, {int(core)})
    print(work(Redis.from_url(url), int(port), int(mails)))


if __name__ == "__main__":
    main(*sys.argv[1:])
