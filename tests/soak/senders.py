"""What is sent: to one, to many, to everybody, now or later, with e-mail or not, with a key or not, and again."""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tests.realtime.returning import Login
from tests.soak.evidence import EVERYBODY, Sent, Try
from tests.soak.people import People
from tests.soak.plan import Plan
from tests.soak.requests import Requests

BROADCAST, BATCH = 0.02, 0.08
KEYLESS = 0.1
POPULAR = 0.4
REPEATED, AT_ONCE, OTHER_BODY = 0.1, 0.05, 0.03
LATER, LATEST = 0.06, 8.0  # how often `send_at` is given, and how many seconds ahead at most
CHANNELS = [["inbox", "email"]] * 5 + [["inbox"]] * 3 + [["email"]]
BROADCAST_CHANNELS = [["inbox"]] * 3 + [["inbox", "email"]]
MOST = 15


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """Something to send, and how: `repeated` after it was accepted, twice `at_once`, or followed by another body.

    `later`: in how many seconds it is to arrive, 0 for at once.
    """

    sent: Sent
    login: Login
    body: dict[str, Any]
    later: float
    repeated: bool
    at_once: bool
    other_body: bool


class Sender:
    """Sends one errand after the other; the next does not depend on what became of the last."""

    def __init__(self, number: int, people: People, plan: Plan, requests: Requests) -> None:
        self.sent: list[Sent] = []
        self._number = number
        self._people = people
        self._plan = plan
        self._requests = requests
        self._rng = plan.random(f"sender {number}")

    async def run(self, over: Callable[[], bool]) -> None:
        while not over():
            errand = self.next()
            self.sent.append(errand.sent)
            await self._do(_dated(errand))
            await asyncio.sleep(random.expovariate(1 / self._plan.pause))

    def next(self) -> Errand:
        rng = self._rng
        token = f"soak {self._plan.seed} {self._number} {len(self.sent)}"
        login = rng.choice(self._people.all)
        kind = rng.random()
        keyless = rng.random() < KEYLESS
        body: dict[str, Any] = {"title": token, "content": "x" * rng.choice((0, 40, 400, 4_000))}
        if kind < BROADCAST:
            path, to, body["channels"] = "/v1/broadcasts", EVERYBODY, rng.choice(BROADCAST_CHANNELS)
        elif kind < BROADCAST + BATCH:
            path, body["channels"] = "/v1/notifications/batch", rng.choice(CHANNELS)
            to = [each.user_id for each in rng.sample(self._people.all, rng.randint(2, MOST))]
            body["to"] = to
        else:
            path, body["channels"] = "/v1/notifications", rng.choice(CHANNELS)
            recipient = rng.choice(self._people.popular if rng.random() < POPULAR else self._people.all)
            to = [recipient.user_id]
            body["to"] = rng.choice((recipient.user_id, recipient.email))
        sent = Sent(
            token=token,
            sender=login.user_id,
            path=path,
            to=to,
            channels=body["channels"],
            key=None if keyless else token.replace(" ", "-"),
        )
        return Errand(
            sent=sent,
            login=login,
            body=body,
            later=rng.uniform(1, LATEST) if rng.random() < LATER else 0.0,
            repeated=rng.random() < REPEATED and not keyless,
            at_once=rng.random() < AT_ONCE and not keyless,
            other_body=rng.random() < OTHER_BODY and not keyless,
        )

    async def _do(self, errand: Errand) -> None:
        sent = errand.sent
        if sent.key is None:
            self._accept(sent, await self._try(errand, at=None))
            return
        if errand.at_once:
            for found in await asyncio.gather(*(self._try(errand, at=at) for at in (0, 1, 0))):
                self._accept(sent, found)
        for _ in range(1 + errand.repeated):
            found = await self._requests.until_answered(
                errand.login, sent.path, tries=sent.tries, key=sent.key, body=errand.body
            )
            self._accept(sent, found)
        if errand.other_body:
            await self._clash(errand)

    async def _try(self, errand: Errand, *, at: int | None) -> Any:
        sent = errand.sent
        return await self._requests.once(
            errand.login, "POST", sent.path, tries=sent.tries, at=at, key=sent.key, body=errand.body
        )

    async def _clash(self, errand: Errand) -> None:
        tries: list[Try] = []
        other = {**errand.body, "title": "another body under the same key"}
        await self._requests.once(errand.login, "POST", errand.sent.path, tries=tries, key=errand.sent.key, body=other)
        errand.sent.clashed += [each.status for each in tries]

    def _accept(self, sent: Sent, found: Any) -> None:
        if found is not None:
            sent.answers.append(found["ids"] if "ids" in found else [found["id"]])


def _dated(errand: Errand) -> Errand:
    if not errand.later:
        return errand
    send_at = datetime.now(UTC) + timedelta(seconds=errand.later)
    return msgspec.structs.replace(errand, body=errand.body | {"send_at": send_at.isoformat()})
