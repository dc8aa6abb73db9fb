"""The web service in the test's own loop, on a free port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import httpx
import msgspec
from argon2 import PasswordHasher

from belfry.accounts.login import open_session
from belfry.accounts.passwords import LANES, MEMORY_KIB, PASSES
from belfry.server import Server, make_server
from belfry.settings import Settings
from belfry.web.given import Given
from db.models import Role
from db.queries import users
from tests.people import NO_TLS, PASSWORD, Person
from tests.realtime.raw import eventually


@cache
def password_hash() -> str:
    """Of everybody's `PASSWORD`."""
    return PasswordHasher(PASSES, MEMORY_KIB, LANES).hash(PASSWORD)


class Serving:
    def __init__(self, server: Server, settings: Settings, port: int) -> None:
        self.server = server
        self.settings = settings
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.given: Given = server.given

    async def hears(self) -> None:
        """Return when it hears what is published."""
        await eventually(lambda: self.given.live.subscription.connected, within=15)

    def anonymous(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=10, verify=NO_TLS)

    @asynccontextmanager
    async def person(self, email: str, *, role: str = "member", name: str = "") -> AsyncIterator[Person]:
        """Somebody with an account and a session, as programs have them; it costs no Argon2, unlike a login."""
        async with self.given.db.begin() as tx:
            account = await users.create(
                tx, email=email, password_hash=password_hash(), display_name=name, role=Role(role), verified=True
            )
            assert account is not None
            _, opened = await open_session(tx, self.given.tokens, self.settings, account.id, user_agent="tests")
        async with self.anonymous() as client:
            person = Person(client, account.id, email)
            person.take(msgspec.structs.asdict(opened))
            yield person

    @asynccontextmanager
    async def login(self, email: str, user_id: int) -> AsyncIterator[Person]:
        """A login of somebody who has an account."""
        async with self.anonymous() as client:
            answer = await client.post("/v1/auth/login", json={"email": email, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            client.cookies.clear()
            person = Person(client, user_id, email)
            person.take(answer.json())
            yield person

    @asynccontextmanager
    async def bearer(self, token: str, person: Person) -> AsyncIterator[Person]:
        """Somebody who holds a token or an API key of a person, and nothing else."""
        async with self.anonymous() as client:
            client.headers["authorization"] = f"Bearer {token}"
            yield Person(client, person.id, person.email)


@asynccontextmanager
async def serving(settings: Settings, *, stock: bool = False) -> AsyncIterator[Serving]:
    """Serve for the length of the block, on any free port; `stock`: over a protocol that knows nothing of streams."""
    server = make_server(settings)
    server.config.port = 0
    if stock:
        server.config.http = "h11"
    server.capture_signals = _no_signals  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(15):
            while not server.started:
                assert not task.done(), task
                await asyncio.sleep(0.005)  # uvicorn has no event for it
        yield Serving(server, settings, server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        await task


class _no_signals:  # noqa: N801
    """Signals belong to the test run."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...
