import os
import shutil
import signal
import stat
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import msgspec
import psycopg
import pytest

from belfry.up import place, postgres, sockets
from belfry.up.held import Taken
from belfry.up.owner import Owner
from belfry.up.program import ProgramFailed
from tests.up.witness import Said, children, gone

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="as an ordinary user PostgreSQL runs as that user, anywhere")


def ask(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def permissions(path: Path) -> dict[Path, tuple[int, int]]:
    return {each: (each.stat().st_mode, each.stat().st_uid) for each in (path, *path.parents)}


async def test_its_data_is_there_again_after_a_restart(room: Path, said: Said) -> None:
    async with postgres.running(room / "data", say=said) as first:
        with psycopg.connect(first.url) as connection:
            connection.execute("CREATE TABLE bells AS SELECT 'quarter' AS name")
        everyone = {first.pid, *children(first.pid)}
    for pid in everyone:
        await gone(pid, within=2)

    async with postgres.running(room / "data", say=said) as second:
        assert ask(second.url, "SELECT name FROM bells") == "quarter"
    assert sum("Creating" in line for line in said.lines) == 1


async def test_it_listens_on_no_port_and_is_durable(room: Path, said: Said) -> None:
    async with postgres.running(room / "data", say=said) as server:
        assert ask(server.url, "SHOW listen_addresses") == ""
        assert ask(server.url, "SHOW fsync") == "on"
        assert ask(server.url, "SHOW synchronous_commit") == "on"
        assert ask(server.url, "SHOW server_encoding") == "UTF8"
        socket = Path(str(ask(server.url, "SHOW unix_socket_directories")))
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700

    assert not socket.exists()


async def test_a_second_one_on_the_same_data_leaves_the_first_alone(room: Path, said: Said) -> None:
    async with postgres.running(room / "data", say=said, durable=False) as first:
        with pytest.raises(Taken):
            async with postgres.running(room / "data", say=said):
                pass
        assert ask(first.url, "SELECT 1") == 1


async def test_it_is_started_again_under_the_same_url_when_it_is_killed(room: Path, said: Said) -> None:
    async with postgres.running(room / "data", say=said, durable=False) as server:
        before = server.pid
        os.kill(before, signal.SIGKILL)
        await said.line("PostgreSQL runs again")
        assert server.pid != before
        assert ask(server.url, "SELECT 1") == 1


async def test_one_that_was_left_running_is_stopped_first(room: Path, said: Said) -> None:
    async with postgres.running(room / "data", say=said, durable=False) as server:
        cluster = str(ask(server.url, "SHOW data_directory"))
        program = server.program
    with sockets.directory(program.owner) as socket:
        argv = [program.argv[0], "-D", cluster, "-c", "listen_addresses=", "-c", f"unix_socket_directories={socket}"]
        left = await msgspec.structs.replace(program, argv=argv).spawn_with(stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
        assert left.stderr
        async for line in left.stderr:
            if b"ready to accept connections" in line:
                break

        async with postgres.running(room / "data", say=said, durable=False) as server:
            await gone(left.pid, within=1)
            assert ask(server.url, "SELECT 1") == 1
    await left.wait()
    assert any(f"process {left.pid}) that was left running" in line for line in said.lines)


async def test_a_lock_file_whose_process_number_went_to_another_program_is_no_obstacle(room: Path, said: Said) -> None:
    async with postgres.running(room / "data", say=said, durable=False) as server:
        lock = Path(str(ask(server.url, "SHOW data_directory"))) / "postmaster.pid"
        content = lock.read_text()
    lock.write_text(content.replace(content.split("\n")[0], str(os.getpid()), 1))

    async with postgres.running(room / "data", say=said, durable=False) as server:
        assert ask(server.url, "SELECT 1") == 1


async def test_an_unfinished_cluster_is_begun_anew(room: Path, said: Said) -> None:
    data = room / "data"
    place.make_private(data)
    (data / "postgres-18.new").mkdir()
    (data / "postgres-18.new" / "PG_VERSION").write_text("18\n")

    async with postgres.running(data, say=said, durable=False) as server:
        assert ask(server.url, "SELECT 1") == 1


async def test_a_start_that_fails_says_what_postgres_said(room: Path, said: Said) -> None:
    async with postgres.running(room / "data", say=said, durable=False) as server:
        cluster = Path(str(ask(server.url, "SHOW data_directory")))
    (cluster / "PG_VERSION").write_text("9.6\n")

    with pytest.raises(ProgramFailed, match="database files are incompatible"):
        async with postgres.running(room / "data", say=said):
            pass


@root_only
async def test_root_runs_it_as_nobody(room: Path, said: Said) -> None:
    before = permissions(room)
    async with postgres.running(room / "data", say=said, durable=False) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == Owner.nobody().uid
        assert (room / "data" / place.CLUSTER).exists()
    assert permissions(room) == before


@root_only
async def test_where_nobody_cannot_go_the_data_is_elsewhere_and_nothing_is_opened(room: Path, said: Said) -> None:
    closed = room / "closed"
    closed.mkdir(mode=0o700)
    before = permissions(closed)
    cluster = place.choose(closed / "data", say=said).cluster
    try:
        async with postgres.running(closed / "data", say=said, durable=False) as server:
            assert ask(server.url, "SHOW data_directory") == str(cluster)
        assert cluster.is_relative_to("/var/lib")
        assert str(cluster) in said.lines[0]
        assert permissions(closed) == before

        closed.chmod(0o755)  # opened later: the data must not seem to be gone
        assert place.choose(closed / "data", say=said).cluster == cluster
    finally:
        shutil.rmtree(cluster.parent)


@root_only
async def test_data_that_its_owner_cannot_reach_any_more_is_not_replaced_by_an_empty_database(
    room: Path, said: Said
) -> None:
    async with postgres.running(room / "data", say=said, durable=False):
        pass
    room.chmod(0o700)
    with pytest.raises(place.Unreachable, match="chmod o\\+x"):
        async with postgres.running(room / "data", say=said):
            pass


@root_only
async def test_the_copied_programs_run_as_nobody(room: Path, said: Said) -> None:
    before = os.umask(0o077)
    try:
        programs = place.copied(room / "spare", say=said)
        again = place.copied(room / "spare", say=said)
    finally:
        os.umask(before)

    home = place.Place(room / "spare" / place.CLUSTER, programs, Owner.nobody())
    assert Owner.nobody().reaches(home.programs / "postgres")
    async with postgres.started(home, room, say=said, durable=False) as server:
        assert str(ask(server.url, "SELECT version()")).startswith("PostgreSQL 18")
    assert again == programs
    assert sum("copying" in line for line in said.lines) == 1
