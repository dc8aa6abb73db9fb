"""Clients whose streams stay open, or are opened again; they write down what they are told."""

import time

from tests.people import Event
from tests.realtime.client import position
from tests.realtime.returning import Login, Returning
from tests.soak.evidence import Heard, Told

KEPT = ("id", "type", "title", "state", "created_at")


class Listener(Returning):
    """It believes everything for now: what it heard is judged afterwards."""

    def __init__(self, login: Login, urls: list[str], *, first: int) -> None:
        super().__init__(login, urls, first=first)
        self.heard = Heard(name=f"{login.email}, stream {first + 1}", user=login.user_id)

    async def run(self) -> None:
        try:
            await super().run()
        except (AssertionError, ValueError) as error:  # not what a stream looks like
            self.heard.broken = repr(error)

    def complete(self, events: list[Event]) -> None:
        told = []
        for event in events:
            if event.name == "open":
                self.came.append(time.monotonic())
            data = event.data
            told.append((event.name, {name: data[name] for name in KEPT} if event.name == "notification" else data))
        self.client.last_id = events[-1].id
        at = position(events[-1].id)
        self.heard.told.append(Told(at=time.time(), position=at, opening=self.openings, events=told))
