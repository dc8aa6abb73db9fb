"""A random walk: several people send, read and delete at once, while streams stay, are cut, and come back."""

import asyncio
import random
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import msgspec

from db.models import Role
from db.queries import inbox, sessions, users
from tests.people import Events, Person
from tests.realtime.client import Client, told
from tests.realtime.history import check_badges
from tests.serving import Serving

PATIENCE = 30
ALL = 10_000


class Watcher:
    """One person, a stream that stays open, and one that is cut again and again."""

    def __init__(self, person: Person, elsewhere: Person) -> None:
        self.person = person
        self.elsewhere = elsewhere
        self.ids: list[int] = []
        self.snapshots: list[Client] = []
        self.stayed = Events()
        self.cut = Client()

    @property
    def anywhere(self) -> Person:
        return random.choice([self.person, self.elsewhere])


class Walk:
    """The choices come from the seed; how they interleave does not, so a seed fails often rather than always."""

    def __init__(self, seed: int, services: list[Serving], stack: AsyncExitStack) -> None:
        self.random = random.Random(seed)
        self.services = services
        self.db = services[0].given.db
        self.watchers: list[Watcher] = []
        self.broadcasts: list[int] = []
        self._stack = stack
        self._over = asyncio.Event()

    async def run(self, *, people: int, steps: int) -> None:
        for _ in range(people):
            await self._enrol()
        async with asyncio.TaskGroup() as background:
            for watcher in self.watchers:
                background.create_task(self._come_and_go(watcher))
            async with asyncio.TaskGroup() as acting:
                for watcher in self.watchers:
                    for _ in range(2):
                        acting.create_task(self._act(watcher, steps))
                acting.create_task(self._look_around(steps))
            self._over.set()

    async def check(self) -> None:
        for watcher in self.watchers:
            shown, unread, last_id = await self._truth(watcher)
            await watcher.stayed.until(last_id, within=PATIENCE)
            stayed = Client()
            copies = [stayed.copy()]
            for event in watcher.stayed.seen:
                stayed.take(event)
                if event.carries_id:
                    copies.append(stayed.copy())
            assert (stayed.shown, stayed.badge) == (shown, unread), "the stream that stayed"
            await check_badges(self.db, watcher.person.id, stayed.badges)
            some = self.random.sample(copies, min(4, len(copies)))
            for client in [Client(), watcher.cut, *some, *self.random.sample(watcher.snapshots, 2)]:
                since = client.last_id
                await self._resume(watcher.anywhere, client, until=last_id)
                assert not client.resets, f"{client.resets} from {since}"
                assert (client.shown, client.badge) == (shown, unread), f"resumed from {since}"
                await check_badges(self.db, watcher.person.id, client.badges)

    async def _enrol(self) -> None:
        """A new account, known to both processes, with a stream on one of them from its first moment."""
        given = self.services[0].given
        email = f"{uuid4().hex}@example.com"
        async with self.db.begin() as tx:
            account = await users.create(tx, email=email, password_hash="", display_name="", role=Role.SENDER)
            assert account is not None
            session = await sessions.open_(tx, account.id, token_hash=uuid4().bytes, user_agent="", days=1)
        token = given.tokens.issue(user_id=account.id, session_id=session)
        persons = []
        for service in self.services:
            client = await self._stack.enter_async_context(service.anonymous())
            client.headers["authorization"] = f"Bearer {token}"
            persons.append(Person(client, account.id, email))
        self.random.shuffle(persons)
        watcher = Watcher(persons[0], persons[1])
        watcher.snapshots += [await self._snapshot(watcher), await self._snapshot(watcher)]
        watcher.stayed = await self._stack.enter_async_context(persons[0].stream("0.0"))
        self.watchers.append(watcher)

    async def _act(self, watcher: Watcher, steps: int) -> None:
        for _ in range(steps):
            kind = self.random.choices(
                ["send", "batch", "broadcast", "read", "unread", "delete", "read through", "delete through"],
                weights=[6, 2, 2, 5, 3, 2, 1, 0.4],
            )[0]
            await self._do(kind, watcher)

    async def _do(self, kind: str, watcher: Watcher) -> None:
        person, pick = watcher.anywhere, self.random
        quiet: dict[str, Any] = {"channels": pick.choice([["inbox"], ["inbox", "desktop"]])}
        match kind.split():
            case ["send"]:
                to = pick.choice(self.watchers)
                to.ids.append((await person.send(to=to.person.id, **quiet))["id"])
            case ["batch"]:
                to_all = pick.sample(self.watchers, pick.randint(1, len(self.watchers)))
                path, named = "/v1/notifications/batch", [each.person.email for each in to_all]
                sent = await person.post(path, 202, to=named, title="Batch", **quiet)
                for each, id_ in zip(to_all, sent["ids"], strict=True):
                    each.ids.append(id_)
            case ["broadcast"]:
                self.broadcasts.append((await person.broadcast(**quiet))["id"])
            case [how]:
                known = watcher.ids + self.broadcasts + pick.choice(self.watchers).ids[-1:]
                if known:
                    await person.mark(how, ids=pick.sample(known, min(len(known), pick.randint(1, 6))))
            case [how, "through"]:
                if known := watcher.ids + self.broadcasts:
                    await person.mark(how, through=pick.choice(known[-8:]))

    async def _look_around(self, steps: int) -> None:
        """Note list and position of the same moment; somebody new registers in between."""
        for turn in range(steps):
            watcher = self.random.choice(self.watchers)
            watcher.snapshots.append(await self._snapshot(watcher))
            if turn == steps // 2:
                await self._enrol()

    async def _snapshot(self, watcher: Watcher) -> Client:
        user_id = watcher.person.id
        async with self.db.snapshot() as tx:
            at = await inbox.position(tx, user_id)
            rows = await inbox.page(tx, user_id, kind="all", state="all", after=None, offset=0, limit=ALL)
        items = [msgspec.to_builtins(item) for _, item in rows]
        return Client(items, badge=at.total, last_id=f"{at.modseq}.{at.broadcast_modseq}")

    async def _come_and_go(self, watcher: Watcher) -> None:
        while not self._over.is_set():
            async with watcher.anywhere.stream(watcher.cut.last_id) as events:
                enough = asyncio.create_task(_several(events, self.random.randint(1, 6)))
                over = asyncio.create_task(self._over.wait())
                await asyncio.wait({enough, over}, return_when=asyncio.FIRST_COMPLETED)
                for task in (enough, over):
                    task.cancel()
                await asyncio.gather(enough, over, return_exceptions=True)
            for event in events.seen:
                watcher.cut.take(event)

    async def _resume(self, person: Person, client: Client, *, until: str) -> None:
        async with person.stream(client.last_id) as events:
            await events.until(until, within=PATIENCE)
            if events.seen[0].data["replayed"]:
                await events.next("count", within=PATIENCE)
        for event in events.seen:
            client.take(event)

    async def _truth(self, watcher: Watcher) -> tuple[list[Any], int, str]:
        """What the API shows, page by page, and the position it shows it at."""
        items: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = await watcher.anywhere.inbox(page_size=100, **cursor)
            items += page["items"]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        unread = await watcher.anywhere.unread()
        assert page["unread"] == unread == sum(item["state"] == "unread" for item in items)
        at = await self._snapshot(watcher)
        assert told(items) == at.shown
        return told(items), unread, at.last_id


async def _several(events: Events, count: int) -> None:
    for _ in range(count):
        await events.next(within=PATIENCE * 10)
