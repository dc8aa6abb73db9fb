"""What the figures were measured on."""

import os
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from statistics import median

import msgspec

PACKAGES = ("litestar", "uvicorn", "uvloop", "httptools", "msgspec", "sqlalchemy", "psycopg", "redis", "pyjwt")

NEEDED = 2  # cores: one for the server, one for its client
AT_REST = 0.5  # load average that a machine has which does nothing


class Cores(msgspec.Struct, frozen=True):
    """Which cores the measured process and its client are pinned to: one each, where there are two."""

    server: tuple[int, ...]
    client: tuple[int, ...]

    @classmethod
    def divided(cls) -> "Cores":
        free = sorted(os.sched_getaffinity(0))
        return cls((free[0],), (free[-1],))


def pin(pid: int, cores: Iterable[int]) -> None:
    """Keep a process that runs already, with all its threads, on some cores."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cores)


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """`load_average` is that of the last minute before anything was started; `sync_ms` the median of an fsync."""

    cores: int
    processor: str
    memory_gib: float
    kernel: str
    load_average: float
    sync_ms: float
    versions: dict[str, str]

    @classmethod
    def here(cls, directory: Path) -> "Machine":
        load_average = os.getloadavg()[0]
        return cls(
            cores=len(os.sched_getaffinity(0)),
            processor=next(_lines("/proc/cpuinfo", "model name"), platform.machine()),
            memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            kernel=platform.release(),
            load_average=round(load_average, 2),
            sync_ms=round(sync_ms(directory), 3),
            versions={
                "python": platform.python_version(),
                "belfry": version("belfry"),
                **{name: version(name) for name in PACKAGES},
            },
        )

    @property
    def too_busy(self) -> str:
        """Why nothing measured here can be believed, if so."""
        most = self.cores - min(NEEDED, self.cores) + AT_REST
        if self.load_average <= most:
            return ""
        return f"the load average before the start was {self.load_average}, more than {most:g} of {self.cores} cores"

    def __str__(self) -> str:
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gib} GiB, Linux {self.kernel}, "
            f"Python {self.versions['python']}, fsync {self.sync_ms} ms, load average {self.load_average} at the start"
        )


def _lines(path: str, field: str) -> Iterator[str]:
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == field:
            yield value.strip()


def sync_ms(directory: Path) -> float:
    """What a commit waits for: 8 KiB written and forced to the disk that holds `directory`."""
    path = directory / "sync"
    took = []
    with path.open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(b"\0" * 8192)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - began) * 1e3)
    path.unlink()
    return median(took)
