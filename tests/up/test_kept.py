import os
import signal
import sys
from pathlib import Path

import pytest

from belfry.up.kept import Kept, kept
from belfry.up.program import Program, ProgramFailed, finish
from tests.up.witness import Said, children, gone


def python(code: str, *, patience: float = 5, cwd: Path | None = None, log: Path | None = None) -> Program:
    return Program(name="bell", argv=[sys.executable, "-c", code], patience=patience, cwd=cwd, log=log)


async def test_a_program_that_dies_is_started_again(said: Said) -> None:
    async with kept(python("import signal; signal.pause()"), say=said) as bell:
        first = bell.pid
        os.kill(first, signal.SIGKILL)
        await said.line("bell ended by SIGKILL; starting it again", within=2)
        await said.line("bell runs again", within=2)
        assert bell.pid != first
    await gone(bell.pid, within=1)


async def test_one_that_dies_at_once_is_started_ever_more_slowly(said: Said) -> None:
    async with kept(python("raise SystemExit(3)"), say=said):
        for delay in ("0.2", "0.4", "0.8"):
            await said.line(f"bell ended with 3; starting it again in {delay} s")


async def test_one_that_will_not_stop_is_killed_with_all_that_it_started(said: Said, room: Path) -> None:
    stubborn = """if True:
        import signal, subprocess, sys
        subprocess.Popen(["sleep", "60"])
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open("armed", "w").close()
        signal.pause()
    """

    async def armed() -> bool:
        return (room / "armed").exists()

    async with kept(python(stubborn, patience=0.1, cwd=room), say=said, ready=armed) as bell:
        everyone = {bell.pid, *children(bell.pid)}
        assert len(everyone) == 2
    for pid in everyone:
        await gone(pid, within=2)


async def test_a_start_that_fails_tells_the_programs_last_words(said: Said, room: Path) -> None:
    async def never() -> bool:
        return False

    program = python("raise SystemExit('the clapper is missing')", log=room / "log")
    with pytest.raises(ProgramFailed, match="the clapper is missing"):
        await Kept(program, say=said, ready=never).start()


async def test_a_program_that_cannot_be_run_says_so() -> None:
    with pytest.raises(ProgramFailed, match="/no/such/bell: No such file"):
        await finish(Program(name="bell", argv=["/no/such/bell"]))


async def test_what_a_program_is_given_and_what_it_prints() -> None:
    assert await finish(python("print(input() + ', ding')"), given="dong\n") == "dong, ding"
