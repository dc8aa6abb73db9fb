import asyncio
import os
import re
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from belfry.up import mailbox, postgres, redis
from belfry.up.listener import PortTaken, listening
from tests.up.witness import Said, children, gone, passable_directory, taken_port

STAND_IN = Path(__file__).with_name("stand_in.py")


class Up:
    """A `belfry up` in a process of its own."""

    def __init__(self, room: Path, process: asyncio.subprocess.Process, reader: asyncio.Task[None], said: Said) -> None:
        self.room = room
        self.process = process
        self.said = said
        self._reader = reader

    async def settled(self) -> "Up":
        """All is up, and the last line has been said."""
        await self.said.line("/v1/notifications", within=30)
        return self

    def address(self) -> tuple[str, int]:
        found = re.search(r"Belfry is up +http://localhost:(\d+)", "\n".join(self.said.lines))
        assert found
        return "127.0.0.1", int(found[1])

    def find(self, part: str) -> int:
        """The process number of the child with `part` in its command line."""
        [pid] = [pid for pid, line in children(self.process.pid).items() if part in line]
        return pid

    async def ended(self) -> int:
        code = await self.process.wait()
        await self._reader
        return code


@asynccontextmanager
async def up(room: Path, *, web: int = 1, workers: int = 1, **settings: str) -> AsyncIterator[Up]:
    """Start it in `room`; at the end of the block stop it if it still runs, and insist that nothing is left."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("BELFRY_")}
    env |= {f"BELFRY_{name}": value for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(STAND_IN),
        "up",
        str(web),
        str(workers),
        cwd=room,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = Said()

    async def read() -> None:
        assert process.stdout
        async for line in process.stdout:
            said(line.decode().rstrip())

    this = Up(room, process, asyncio.create_task(read()), said)
    try:
        yield this
    finally:
        everyone = children(process.pid)
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(10):
            await this.ended()
        for pid in everyone:
            await gone(pid, within=1)


async def asked(address: tuple[str, int]) -> int:
    """Which process answers."""
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return int(answer.rpartition(b"\n")[2])


@pytest.fixture
def free_port() -> str:
    return str(unused())


def unused() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[Up]:
    """One that tests share which leave it running."""
    with passable_directory() as room:
        async with up(room, PORT=str(unused())) as this:
            yield await this.settled()


async def test_it_shows_the_way_in_once_and_finds_its_data_again(room: Path, free_port: str) -> None:
    async with up(room, PORT=free_port) as first:
        await first.settled()
        said = "\n".join(first.said.lines)
        password = re.search(r"Log in as +admin@example.com +password (\S+)", said)
        assert password
        assert said.count("curl ") == 3
        assert f'"password": "{password[1]}"' in said
        assert await asked(first.address()) == first.find("web --fd")
        key = (room / ".belfry" / "secret_key").read_text()

    async with up(room, PORT=free_port) as second:
        await second.settled()
        said = "\n".join(second.said.lines)
        assert "admin@example.com  with the password shown at the first start" in said
        assert "Made the administrator" not in said
        assert (room / ".belfry" / "secret_key").read_text() == key
    assert stat.S_IMODE((room / ".belfry" / "secret_key").stat().st_mode) == 0o600


async def test_the_administrator_may_be_named(room: Path, free_port: str) -> None:
    async with up(room, PORT=free_port, ADMIN_EMAIL="ada@example.com", ADMIN_PASSWORD='it\'s "a" $secret') as this:
        await this.settled()
        said = "\n".join(this.said.lines)
        assert "Log in as      ada@example.com" in said


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        signal.SIGTERM,
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
async def test_signals_stop_everything_in_order(room: Path, free_port: str, number: signal.Signals) -> None:
    async with up(room, web=2, workers=2, PORT=free_port) as this:
        await this.settled()
        everyone = children(this.process.pid)
        this.process.send_signal(number)
        this.process.send_signal(number)  # an impatient second one changes nothing
        assert await this.ended() == 0
        assert sum("--fd" in line for line in everyone.values()) == 2
        for pid in everyone:
            await gone(pid, within=0.5)


async def test_a_signal_while_it_starts_leaves_nothing(room: Path, free_port: str) -> None:
    async with up(room, PORT=free_port) as this:
        await this.said.line("Creating a PostgreSQL")
        this.process.terminate()
        assert await this.ended() == 0
        assert not (room / ".belfry" / "postgres-18").exists()


async def test_a_second_one_on_the_same_data_leaves_the_first_alone(shared: Up) -> None:
    async with up(shared.room) as second:
        assert await second.ended() != 0
        await second.said.line(f"held by process {shared.process.pid}")
    assert await asked(shared.address()) == shared.find("web --fd")


async def test_the_children_of_a_killed_one_end_and_the_next_one_takes_over(room: Path, free_port: str) -> None:
    async with up(room, PORT=free_port) as first:
        await first.settled()
        everyone = children(first.process.pid)
        first.process.kill()
        await first.process.wait()

        async with up(room, PORT=free_port) as second:
            await second.settled()
            assert second.address() == first.address()
            assert await asked(second.address()) == second.find("web --fd")
            for pid in everyone:
                await gone(pid, within=5)


async def test_a_dead_web_process_is_replaced_and_no_connection_refused(shared: Up) -> None:
    first = await asked(shared.address())
    os.kill(first, signal.SIGKILL)
    await shared.said.line("web 1 ended by SIGKILL")
    assert await asked(shared.address()) != first
    await shared.said.line("web 1 runs again", within=2)


@pytest.mark.parametrize(
    ("name", "part"), [("worker 1", "stand_in.py worker"), ("Redis", "redis-server"), ("PostgreSQL", "bin/postgres -D")]
)
async def test_whatever_dies_is_started_again(shared: Up, name: str, part: str) -> None:
    first = shared.find(part)
    os.kill(first, signal.SIGKILL)
    await shared.said.line(f"{name} runs again", within=3)
    assert shared.find(part) != first


async def test_servers_that_are_named_are_used_instead_of_embedded_ones(room: Path, free_port: str, said: Said) -> None:
    async with (
        postgres.running(room / "other", say=said, durable=False) as database,
        redis.running(say=said) as cache,
        mailbox.running(room / "post") as post,
        up(room, PORT=free_port, DATABASE_URL=database.url, REDIS_URL=cache.url, SMTP_URL=post.url) as this,
    ):
        await this.settled()
        assert sorted(line.split()[-1] for line in children(this.process.pid).values())[1:] == ["worker"]
        assert not (room / ".belfry" / "mail").exists()
        env = Path(f"/proc/{this.find('stand_in.py worker')}/environ").read_text().split("\0")
        assert "BELFRY_MAIL_CATCHER_DIR=" in env
        with psycopg.connect(database.url) as connection:
            assert connection.execute("SELECT role FROM users").fetchall() == [("admin",)]


async def test_the_next_port_is_taken_unless_one_was_asked_for(said: Said) -> None:
    async with taken_port() as port:
        async with listening("127.0.0.1", port, insist=False, leftover=False, say=said) as listener:
            other = listener.getsockname()[1]
            assert other != port
        assert said.lines == [f"Port {port} is in use by another program; using {other}"]

        with pytest.raises(PortTaken, match=f"Port {port} is in use"):
            async with listening("127.0.0.1", port, insist=True, leftover=False, say=said):
                pass


async def test_a_port_that_localhost_leads_elsewhere_from_is_taken(said: Said) -> None:
    try:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with listening("127.0.0.1", port, insist=False, leftover=False, say=said) as listener:
            assert listener.getsockname()[1] != port
