"""`belfry up`: everything Belfry needs on one machine, started in order, kept running and stopped in order."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import msgspec

from belfry.settings import PREFIX, Settings
from belfry.up import environment, mailbox, postgres, redis
from belfry.up.administrator import administrator
from belfry.up.held import held
from belfry.up.kept import Kept, Say
from belfry.up.listener import listening
from belfry.up.place import make_private
from belfry.up.program import Program, finish
from belfry.up.ready import ready
from belfry.up.revision import is_newest
from belfry.up.welcome import welcome

BELFRY = (sys.executable, "-m", "belfry")
PATIENCE = 3.0  # with Redis's and PostgreSQL's, everything is gone within ten seconds


async def run(env: Mapping[str, str], *, web: int, workers: int, say: Say, command: Sequence[str] = BELFRY) -> None:
    """Start everything, say how to use it, and return when Ctrl-C, SIGTERM or SIGHUP has stopped it all.

    `command` is what starts a child, for the tests.

    Raises:
        SettingsError: the environment makes no sense.
        Taken: another `up` has this data directory.
        PortTaken, Unreachable, ProgramFailed: something could not be started; what had been is stopped again.
    """
    settings = environment.settings_before(env)
    settings = msgspec.structs.replace(settings, data_dir=str(Path(settings.data_dir).absolute()))
    task = asyncio.create_task(_run(dict(env), settings, web=web, workers=workers, say=say, command=command))
    with _stopping_at_signals(task, say):
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def _run(
    env: dict[str, str], settings: Settings, *, web: int, workers: int, say: Say, command: Sequence[str]
) -> None:
    data_dir = Path(settings.data_dir)
    make_private(data_dir)
    async with AsyncExitStack() as stack:
        killed = stack.enter_context(held(data_dir / "up.lock"))
        insist = environment.has(env, "PORT")
        listening_there = listening(settings.host, settings.port, insist=insist, leftover=killed, say=say)
        listener = await stack.enter_async_context(listening_there)
        settings = _at_port(settings, env, listener.getsockname()[1])
        env |= {
            f"{PREFIX}DATA_DIR": settings.data_dir,
            f"{PREFIX}PORT": str(settings.port),
            f"{PREFIX}PUBLIC_URL": settings.public_url,
            f"{PREFIX}SECRET_KEY": env.get(f"{PREFIX}SECRET_KEY") or environment.secret_key(data_dir),
            "PYTHONUNBUFFERED": "1",  # what they print belongs on the screen now, also through a pipe
        }
        await _start_servers(stack, env, data_dir, say=say)

        if not await is_newest(env[f"{PREFIX}DATABASE_URL"]):
            say("Migrating the database")
            migrate = Program(name="belfry migrate", argv=[*command, "migrate"], env=env)
            for line in (await finish(migrate)).splitlines():
                say(line)
        admin = await administrator(settings, env[f"{PREFIX}DATABASE_URL"], command, env, say=say)

        say(f"Starting {web} web and {workers} worker processes")
        fd = listener.fileno()
        answering = [*command, "web", "--fd", str(fd)]
        await stack.enter_async_context(_kept("worker", workers, [*command, "worker"], env, say=say))
        await stack.enter_async_context(_kept("web", web, answering, env, say=say, fds=(fd,)))
        await ready(settings.host, settings.port)
        say(welcome(settings, admin))
        await asyncio.Event().wait()


def _at_port(settings: Settings, env: Mapping[str, str], port: int) -> Settings:
    public_url = settings.public_url if environment.has(env, "PUBLIC_URL") else f"http://localhost:{port}"
    return msgspec.structs.replace(settings, port=port, public_url=public_url)


async def _start_servers(stack: AsyncExitStack, env: dict[str, str], data_dir: Path, *, say: Say) -> None:
    """Start what has no URL in the environment, and put its URL there."""
    if not environment.has(env, "DATABASE_URL"):
        database = await stack.enter_async_context(postgres.running(data_dir, say=say))
        env[f"{PREFIX}DATABASE_URL"] = database.url
    if not environment.has(env, "REDIS_URL"):
        cache = await stack.enter_async_context(redis.running(say=say))
        env[f"{PREFIX}REDIS_URL"] = cache.url
    env[f"{PREFIX}MAIL_CATCHER_DIR"] = ""
    if not environment.has(env, "SMTP_URL"):
        say("Catching mail instead of sending it: BELFRY_SMTP_URL is not set")
        catcher = await stack.enter_async_context(mailbox.running(data_dir / "mail"))
        env |= {f"{PREFIX}SMTP_URL": catcher.url, f"{PREFIX}MAIL_CATCHER_DIR": str(catcher.directory)}


@asynccontextmanager
async def _kept(
    name: str, count: int, argv: list[str], env: Mapping[str, str], *, say: Say, fds: tuple[int, ...] = ()
) -> AsyncIterator[None]:
    """Keep `count` processes running for the length of the block; stop them all at once."""
    names = [f"{name} {number}" for number in range(1, count + 1)]
    processes = [Kept(Program(name=each, argv=argv, env=env, fds=fds, patience=PATIENCE), say=say) for each in names]
    try:
        for process in processes:
            await process.start()
        yield
    finally:
        await asyncio.gather(*(process.stop() for process in processes))


@contextmanager
def _stopping_at_signals(task: asyncio.Task[None], say: Say) -> Iterator[None]:
    """Let the signals that mean "stop" cancel the task, once: a second one must not cut the stopping short."""
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        numbers.append(signal.SIGHUP)
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            say("Stopping: web, workers, mail catcher, Redis, PostgreSQL")
            task.cancel()

    for number in numbers:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
