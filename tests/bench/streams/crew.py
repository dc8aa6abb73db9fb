"""The generator as the benchmark sees it: a process of its own that is given jobs, one at a time."""

import asyncio
import os
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from belfry.up.program import Program, ProgramFailed
from tests.bench.stage import SOURCES, Stage
from tests.bench.streams.generator.jobs import Answer, Job

SPARE = 500  # file descriptors for what is not a stream

T = TypeVar("T", bound=Answer)


class Generator:
    def __init__(self, program: Program, process: asyncio.subprocess.Process) -> None:
        self._program = program
        self._process = process
        self.pid = process.pid

    async def do(self, job: Job, kind: type[T]) -> T:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        given = msgspec.json.encode(job)
        stdin.write(len(given).to_bytes(4, "big") + given)
        await stdin.drain()
        try:
            size = int.from_bytes(await stdout.readexactly(4), "big")
            return msgspec.json.decode(await stdout.readexactly(size), type=kind)
        except asyncio.IncompleteReadError:
            raise ProgramFailed(f"The generator broke:\n{self._program.last_words(20)}") from None


@asynccontextmanager
async def generator(stage: Stage, name: str) -> AsyncIterator[Generator]:
    cores = ",".join(map(str, stage.cores.client))
    log = stage.directory / f"generator-{name}.log"
    argv = [sys.executable, "-m", "tests.bench.streams.generator", cores]
    program = Program(name="the generator", argv=argv, cwd=SOURCES, log=log)
    with log.open("wb") as errors:
        pipe = asyncio.subprocess.PIPE
        process = await program.spawn_with(stdin=pipe, stdout=pipe, stderr=errors)
    try:
        yield Generator(program, process)
    finally:
        await program.stop(process)


def room_for(streams: int) -> int:
    """Raise the limit of open files, also for what is started from here on, and say how many streams that allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return streams if hard == resource.RLIM_INFINITY else min(streams, hard - SPARE)


def memory_kb(pid: int) -> int:
    """What a process has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
