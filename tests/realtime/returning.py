"""Clients that come back by themselves, and a sender that repeats what was not answered: what a fleet must satisfy."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import cycle
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from belfry.accounts.tokens import Tokens
from belfry.settings import Settings
from db import Database
from db.models import Role
from db.queries import sessions, users
from tests.people import Event
from tests.realtime.client import Client
from tests.realtime.raw import parse

HURRY = 20  # times faster back than we were told; what we were told is noted
RETRY_MS = 2_000
PAUSE = 0.1


class Login:
    def __init__(self, user_id: int, email: str, token: str) -> None:
        self.user_id = user_id
        self.email = email
        self.headers = {"authorization": f"Bearer {token}"}


async def logins(db: Database, settings: Settings, count: int, *, email: str = "user{}@example.com") -> list[Login]:
    tokens = Tokens(settings.secret_key, seconds=settings.access_token_seconds)
    made = []
    async with db.begin() as tx:
        for number in range(count):
            address = email.format(number)
            account = await users.create(tx, email=address, password_hash="", display_name="", role=Role.SENDER)
            assert account is not None
            session = await sessions.open_(tx, account.id, token_hash=uuid4().bytes, user_agent="", days=1)
            made.append(Login(account.id, address, tokens.issue(user_id=account.id, session_id=session)))
    return made


class Returning:
    """Keeps what completed a number, and asks the next process for what comes after it.

    `came` are the moments at which it was let in, `latest` is the age of the oldest news it was told, in seconds.
    """

    def __init__(self, login: Login, urls: Sequence[str], *, first: int) -> None:
        self.login = login
        self.client = Client()
        self.told: list[int] = []
        self.delays: list[int] = []
        self.came: list[float] = []
        self.latest = 0.0
        self.hurry = HURRY
        self.at = ""
        self._urls = urls
        self._turn = first

    @property
    def openings(self) -> int:
        return len(self.came)

    async def run(self) -> None:
        while True:
            self.at = self._urls[self._turn % len(self._urls)]
            wait = RETRY_MS
            with suppress(OSError, asyncio.IncompleteReadError):
                wait = await self._listen(self.at)
            self.at = ""
            self._turn += 1
            await asyncio.sleep(wait / 1000 / self.hurry * random.uniform(0.5, 1.5))

    async def _listen(self, url: str) -> int:
        """Read a stream to its end. Returns how long it asked us to stay away, in milliseconds."""
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        try:
            lines = ["GET /v1/stream HTTP/1.1", "Host: belfry", f"Last-Event-ID: {self.client.last_id}"]
            lines.append(f"Authorization: {self.login.headers['authorization']}")
            writer.write("\r\n".join([*lines, "", ""]).encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 ")), head
            return await self._read(reader) if head.startswith(b"HTTP/1.1 200 ") else RETRY_MS
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> int:
        buffer, unfinished = b"", list[Event]()
        while data := await reader.read(1 << 16):
            whole, end, buffer = (buffer + data).rpartition(b"\n\n")
            for event in parse(whole + end):
                if event.name == "reconnect":
                    self.delays.append(event.data["after_ms"])
                    return int(event.data["after_ms"])
                unfinished.append(event)
                if event.carries_id:
                    self.complete(unfinished)
                    unfinished = []
        return RETRY_MS

    def complete(self, events: list[Event]) -> None:
        """A number is whole: what a cut connection left of one is told again, and would be counted twice."""
        for event in events:
            event.id = events[-1].id
            if event.name == "open":
                self.came.append(time.monotonic())
            if event.name == "notification":
                self.told.append(event.data["id"])
                made = datetime.fromisoformat(event.data["created_at"])
                self.latest = max(self.latest, (datetime.now(UTC) - made).total_seconds())
            self.client.take(event)


class Load:
    """Sends to everybody until it is told to stop. What got no answer is sent again, elsewhere, with the same key."""

    def __init__(self, people: list[Login], urls: list[str], *, channels: Sequence[str]) -> None:
        """`channels` are those of what goes to one person; what goes to all is in the inbox only."""
        self.sent = 0
        self.slowest = 0.0
        self._channels = channels
        self._people = people
        self._urls = urls
        self._over = False

    @asynccontextmanager
    async def going_on(self, *, senders: int = 2) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=10) as client, asyncio.TaskGroup() as group:
            for number in range(senders):
                group.create_task(self._send(client, number))
            try:
                yield
            finally:
                self._over = True

    async def one(self, client: httpx.AsyncClient, urls: Sequence[str]) -> None:
        """Send once, asking one address after the other until one of them says yes."""
        sender, to = random.sample(self._people, 2)
        path, body = "/v1/broadcasts", dict[str, object]({"title": uuid4().hex, "channels": ["inbox"]})
        if random.random() < 0.75:
            path, body["to"], body["channels"] = "/v1/notifications", to.user_id, self._channels
        headers = {**sender.headers, "idempotency-key": uuid4().hex, "content-type": "application/json"}
        for url in cycle(urls):
            began = time.monotonic()
            try:
                answer = await client.post(url + path, content=json.dumps(body), headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(PAUSE)
                continue
            assert answer.status_code in (202, 503), answer.text
            if answer.status_code == 202:
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.sent += 1
                return

    async def _send(self, client: httpx.AsyncClient, number: int) -> None:
        while not self._over:
            number += 1
            await self.one(client, self._urls[number % 2 :] + self._urls[: number % 2])
            await asyncio.sleep(0.02)  # a load, not a race
