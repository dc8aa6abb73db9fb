"""A program that is kept running: started again when it dies, until it is told to stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Self

from belfry.up.program import Program, ProgramFailed, ending

Say = Callable[[str], None]
Ready = Callable[[], Awaitable[bool]]

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
STEADY_SECONDS = 10.0
"""Who has lived this long did not die of being started: the delay begins anew."""
READY_SECONDS = 30.0
GLANCE = 0.02


async def at_once() -> bool:
    return True


class Kept:
    """`pid` is that of the present incarnation. `ready` is asked until it answers true, after every start."""

    def __init__(self, program: Program, *, say: Say, ready: Ready = at_once) -> None:
        self.program = program
        self._say = say
        self._ready = ready
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.program.name} has not been started"
        return self._process.pid

    async def start(self) -> Self:
        """Start it and return when it is ready; from then on it is kept running.

        Raises:
            ProgramFailed: it ended, or was not ready in time. It is not tried again: the caller decides.
        """
        try:
            await self._launch()
        except BaseException:
            await self.stop()
            raise
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")
        return self

    async def stop(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        if self._process:
            await self.program.stop(self._process)

    async def _launch(self) -> None:
        self._process = await self.program.spawn()
        try:
            async with asyncio.timeout(READY_SECONDS):
                while self._process.returncode is None:
                    if await self._ready():
                        return
                    await asyncio.sleep(GLANCE)
        except TimeoutError:
            await self.program.stop(self._process)
            raise ProgramFailed(
                f"{self.program.name} was not ready after {READY_SECONDS:.0f} s{self._words()}"
            ) from None
        raise ProgramFailed(f"{self.program.name} {ending(self._process.returncode)} at its start{self._words()}")

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        delay = FIRST_DELAY
        while True:
            assert self._process is not None
            began = loop.time()
            code = await self._process.wait()
            self.program.kill_group(self._process)
            delay = FIRST_DELAY if loop.time() - began > STEADY_SECONDS else min(delay * 2, LONGEST_DELAY)
            self._say(f"{self.program.name} {ending(code)}; starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)
            try:
                await self._launch()
                self._say(f"{self.program.name} runs again, as process {self.pid}")
            except ProgramFailed as failure:
                self._say(str(failure))

    def _words(self) -> str:
        words = self.program.last_words()
        return f":\n{words}" if words else ""


@asynccontextmanager
async def kept(program: Program, *, say: Say, ready: Ready = at_once) -> AsyncIterator[Kept]:
    """Keep a program running for the length of the block."""
    process = Kept(program, say=say, ready=ready)
    await process.start()
    try:
        yield process
    finally:
        await process.stop()
