"""What a benchmark runs on: real servers, the web service in a process of its own, its client in another."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.progress import Progress

from belfry.accounts.tokens import Tokens, fingerprint, opaque
from belfry.settings import PREFIX, Settings
from belfry.up import postgres, redis
from belfry.up.kept import kept
from belfry.up.listener import listening
from belfry.up.program import Program, finish
from belfry.up.ready import ready
from db import Database, connect
from db.migrate import upgrade
from db.models import Role
from db.queries import sessions, users
from tests.bench.client.in_turn import InTurn
from tests.bench.client.load import Load
from tests.bench.client.paced import Paced
from tests.bench.machine import Cores, pin
from tests.up.witness import passable_directory

SOURCES = Path(__file__).parents[2]

T = TypeVar("T")


class Served(msgspec.Struct, frozen=True):
    port: int
    pid: int


class User(msgspec.Struct, frozen=True):
    id: int
    token: str


class Stage:
    """`watched` are the processes whose share of the processors is to be told apart, by name."""

    def __init__(self, settings: Settings, watched: dict[str, int], progress: Progress, directory: Path) -> None:
        self.settings = settings
        self.directory = directory
        self.watched = watched
        self.progress = progress
        self.cores = Cores.divided()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        db = connect(self.settings.database_url)
        try:
            yield db
        finally:
            await db.close()

    @asynccontextmanager
    async def serving(self, *module: str, **settings: str) -> AsyncIterator[Served]:
        """Run a server of its own, `python -m belfry web` if no other is named, pinned to its core."""
        async with listening("127.0.0.1", 0, insist=True, leftover=False, say=_quiet) as listener:
            port = listener.getsockname()[1]
            program = Program(
                name=" ".join(module or ("belfry", "web")),
                argv=[sys.executable, "-m", *(module or ("belfry", "web")), "--fd", str(listener.fileno())],
                env=self.environment(settings),
                fds=(listener.fileno(),),
                log=self.directory / f"{port}.log",
            )
            async with kept(program, say=print, ready=lambda: _ready(port)) as process:
                pin(process.pid, self.cores.server)
                yield Served(port, process.pid)

    async def ask(self, job: Load | InTurn | Paced, kind: type[T]) -> T:
        """Let the client do a job, pinned to its core."""
        cores = ",".join(map(str, self.cores.client))
        client = Program(name="the client", argv=[sys.executable, "-m", "tests.bench.client", cores], cwd=SOURCES)
        return msgspec.json.decode(await finish(client, given=msgspec.json.encode(job).decode()), type=kind)

    async def user(self, db: Database, email: str, role: Role = Role.MEMBER) -> User:
        """Somebody with an account and an open session."""
        async with db.begin() as tx:
            account = await users.create(tx, email=email, password_hash="", display_name="", role=role)
            assert account is not None
            hashed = fingerprint(opaque())
            session_id = await sessions.open_(tx, account.id, token_hash=hashed, user_agent="bench", days=1)
        tokens = Tokens(self.settings.secret_key, seconds=self.settings.access_token_seconds)
        return User(account.id, tokens.issue(user_id=account.id, session_id=session_id))

    def environment(self, settings: dict[str, str]) -> dict[str, str]:
        """Ours without any of Belfry's own settings: what is measured are the defaults."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        ours = {
            "database_url": self.settings.database_url,
            "redis_url": self.settings.redis_url,
            "secret_key": self.settings.secret_key,
            **settings,
        }
        return {**env, "PYTHONPATH": str(SOURCES), **{f"{PREFIX}{name.upper()}": value for name, value in ours.items()}}


@asynccontextmanager
async def staged(progress: Progress) -> AsyncIterator[Stage]:
    """A stage with a PostgreSQL of its own that keeps what it promises, and a Redis."""

    def say(line: str) -> None:
        progress.console.print(f"[dim]{line}")

    with passable_directory() as directory:
        async with (
            postgres.running(directory / "data", say=say) as database,
            redis.running(say=say) as cache,
        ):
            settings = Settings(
                database_url=database.url,
                redis_url=cache.url,
                secret_key=secrets.token_urlsafe(48),
                access_token_seconds=24 * 3600,  # a long measurement must not end with its tokens
            )
            db = connect(settings.database_url)
            await asyncio.to_thread(upgrade, db, say=_quiet)  # it runs an event loop of its own
            yield Stage(settings, {"postgres": database.pid, "redis": cache.pid}, progress, directory)


async def _ready(port: int) -> bool:
    await ready("127.0.0.1", port)
    return True


def _quiet(_: str) -> None:
    pass
