"""A program `up` runs: how it is started and how it is asked to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from belfry.up.owner import Owner

Stream = IO[bytes] | int | None

LEASH = Path(__file__).with_name("leash.py")


class ProgramFailed(Exception):
    """A program did not do what it was started for. The message is for the screen, with the program's last words."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """`env` and `cwd` default to ours, `owner` to who we are, `log` (a file, begun anew) to our own output."""

    name: str
    argv: list[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    owner: Owner | None = None
    fds: tuple[int, ...] = ()
    log: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 3.0
    """Seconds between asking it to stop and killing it."""

    async def spawn(self) -> asyncio.subprocess.Process:
        log = open(self.log, "wb") if self.log else None  # noqa: SIM115, ASYNC230 - a local file, closed below
        try:
            return await self.spawn_with(stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log)
        finally:
            if log:
                log.close()

    async def spawn_with(self, *, stdin: Stream, stdout: Stream, stderr: Stream) -> asyncio.subprocess.Process:
        """Start it in a process group of its own: Ctrl-C must reach `up` alone, which stops all in order."""
        account = f"{self.owner.uid}:{self.owner.gid}" if self.owner else "-"
        leash = ["-I", "-S", str(LEASH), str(os.getpid()), str(int(self.stop_signal)), account]
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *leash,
            *self.argv,
            env=self.env,
            cwd=self.cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=self.fds,
            process_group=0,
        )

    async def stop(self, process: asyncio.subprocess.Process) -> None:
        """Ask, wait, then kill it and what it may have started. Returns when it is gone."""
        if process.returncode is None:
            process.send_signal(self.stop_signal)
            try:
                async with asyncio.timeout(self.patience):
                    await process.wait()
            except TimeoutError:
                pass
        self.kill_group(process)
        await process.wait()

    def kill_group(self, process: asyncio.subprocess.Process) -> None:
        """Nothing of its group outlives it."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def last_words(self, lines: int = 8) -> str:
        """The end of its log, to explain a failure with."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


async def finish(program: Program, *, given: str = "") -> str:
    """Run a program to its end, with `given` on its standard input, and return what it printed.

    Raises:
        ProgramFailed: it ended with an error; the message carries its output.
    """
    pipe = asyncio.subprocess.PIPE
    process = await program.spawn_with(stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    try:
        output, _ = await process.communicate(given.encode())
    finally:
        await program.stop(process)
    text = output.decode(errors="replace").strip()
    if process.returncode:
        raise ProgramFailed(f"{program.name} failed ({ending(process.returncode)}):\n{text}")
    return text


def ending(code: int) -> str:
    """How a program ended, in words."""
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
