"""Somebody who uses Belfry: sends, reads, and keeps a stream open."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from httpx_sse import aconnect_sse

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # we speak plain HTTP; a client's usual context takes 20 ms to make
PASSWORD = "correct horse battery staple"


class Event:
    """One event of a stream."""

    def __init__(self, name: str, data: dict[str, Any], id_: str, carries_id: bool) -> None:
        self.name = name
        self.data = data
        self.id = id_
        self.carries_id = carries_id

    def __repr__(self) -> str:
        return f"{self.name}({self.id}) {self.data}"


class Events:
    """What a stream has brought, in order. Waiting for an event fails after `within` seconds."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self.ended = asyncio.Event()
        self.error: BaseException | None = None
        self._taken = 0
        self._changed = asyncio.Condition()

    @property
    def last_id(self) -> str:
        """The position of the last event that carried one."""
        return next((event.id for event in reversed(self.seen) if event.id), "")

    async def add(self, event: Event) -> None:
        async with self._changed:
            self.seen.append(event)
            self._changed.notify_all()

    async def next(self, *names: str, within: float = 5) -> Event:
        """The next event not yet taken, of one of these names if any are given; those before it are passed over."""
        async with asyncio.timeout(within), self._changed:
            while True:
                while self._taken < len(self.seen):
                    event = self.seen[self._taken]
                    self._taken += 1
                    if not names or event.name in names:
                        return event
                await self._changed.wait()

    async def until(self, event_id: str, *, within: float = 10) -> None:
        """Wait until the stream has reached a position."""
        try:
            async with asyncio.timeout(within), self._changed:
                await self._changed.wait_for(lambda: self.last_id == event_id)
        except TimeoutError:
            how = f"ended by {self.error!r}" if self.ended.is_set() else "open"
            raise AssertionError(f"waited for {event_id}; {how} after {self.seen[-3:]}") from None


class Person:
    def __init__(self, client: httpx.AsyncClient, user_id: int, email: str) -> None:
        self.client = client
        self.id = user_id
        self.email = email
        self.refresh_token = ""

    @property
    def access_token(self) -> str:
        return str(self.client.headers["authorization"]).removeprefix("Bearer ")

    def take(self, answer: dict[str, Any]) -> None:
        """Use the tokens of a login or a refresh from now on."""
        self.refresh_token = answer["refresh_token"]
        self.client.headers["authorization"] = f"Bearer {answer['access_token']}"

    def at(self, url: str) -> "Person":
        """The same login, at another process."""
        unlimited = httpx.Limits(max_connections=None)
        client = httpx.AsyncClient(
            base_url=url, headers=self.client.headers, timeout=10, limits=unlimited, verify=NO_TLS
        )
        return Person(client, self.id, self.email)

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, expect: int = 200, headers: dict[str, str] | None = None, **body: Any) -> Any:
        answer = await self.client.post(path, json=body, headers=headers)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    async def send(self, title: str = "Build passed", **more: Any) -> Any:
        return await self.post("/v1/notifications", 202, title=title, **more)

    async def broadcast(self, title: str = "Maintenance tonight", **more: Any) -> Any:
        return await self.post("/v1/broadcasts", 202, title=title, **more)

    async def inbox(self, **query: Any) -> Any:
        return await self.get("/v1/notifications", **query)

    async def unread(self) -> int:
        return int((await self.get("/v1/notifications/unread-count"))["unread"])

    async def mark(self, how: str, **which: Any) -> int:
        return int((await self.post(f"/v1/notifications/{how}", **which))["unread"])

    @asynccontextmanager
    async def stream(self, last_id: str | None = None) -> AsyncIterator[Events]:
        """An open stream; it is read in the background, and has been opened when the block begins."""
        headers = {} if last_id is None else {"last-event-id": last_id}
        events = Events()
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        reading = asyncio.create_task(self._read(headers, events, opened))
        try:
            await asyncio.wait_for(opened, 5)
            yield events
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, headers: dict[str, str], events: Events, opened: "asyncio.Future[None]") -> None:
        try:
            async with aconnect_sse(self.client, "GET", "/v1/stream", headers=headers, timeout=None) as source:
                source.response.raise_for_status()
                last = ""
                async for sse in source.aiter_sse():
                    if not sse.data:  # a heartbeat; browsers ignore an event without data, httpx-sse does not
                        continue
                    event = Event(sse.event, json.loads(sse.data), sse.id, sse.id != last)
                    last = sse.id
                    await events.add(event)
                    if not opened.done():
                        opened.set_result(None)
        except BaseException as error:
            events.error = error
            if not opened.done():
                opened.set_exception(error)
            if not isinstance(error, httpx.HTTPError):
                raise
        finally:
            events.ended.set()
