"""A web process or a worker of the soak: hurt on purpose, and watched for dying on its own."""

import asyncio
import os
import signal
import time

from belfry.background import end
from tests.processes import Process
from tests.soak.evidence import Died, Stopped


class Member:
    """`died` and `stopped` are told what happened. One that died by itself is started again, as `belfry up` would."""

    def __init__(self, name: str, process: Process, *, died: list[Died], stopped: list[Stopped]) -> None:
        self.name = name
        self.process = process
        self._died = died
        self._stopped = stopped
        self._began = 0.0
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._begin()
        self._watch = asyncio.create_task(self._keep(), name=f"watch {self.name}")

    async def kill(self) -> None:
        await self._on_purpose()
        await self.process.end(signal.SIGKILL)

    async def stop(self, *, within: float) -> None:
        """SIGTERM. A process that does not obey in time is killed; either way it is noted how long it took."""
        await self._on_purpose()
        began = time.time()
        try:
            code = await self.process.end(signal.SIGTERM, within=within)
        except TimeoutError:
            await self.process.close()
            code = await self.process.ended()
        ran = began - self._began
        self._stopped.append(Stopped(who=self.name, at=began, ran=ran, seconds=time.time() - began, code=code))

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    async def close(self) -> None:
        await self._on_purpose()
        await self.process.close()

    async def _begin(self) -> None:
        self._began = time.time()
        await self.process.start()

    async def _on_purpose(self) -> None:
        await end(self._watch)

    async def _keep(self) -> None:
        while True:
            code = await self.process.ended()
            self._died.append(Died(who=self.name, at=time.time(), code=code))
            await self._begin()
