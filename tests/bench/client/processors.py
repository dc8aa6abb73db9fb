"""Where the processors' time goes, from /proc (proc_pid_stat(5), proc_stat(5))."""

import os
import time
from pathlib import Path
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")
BUSY = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, and what the hypervisor took: steal


class Meter:
    """Measures how many cores are kept busy between `start` and `stop`, by whom.

    `watched` names processes; each counts with those it started. `others` is what no process of this benchmark used,
    which are those that `us` started: by default our parent.
    """

    def __init__(self, watched: dict[str, int], *, us: int | None = None) -> None:
        self._watched = watched
        self._us = us or os.getppid()

    def start(self) -> Self:
        self._began = time.perf_counter()
        self._before = self._read()
        return self

    def stop(self) -> dict[str, float]:
        seconds = time.perf_counter() - self._began
        busy = {name: (now - self._before[name]) / seconds for name, now in self._read().items()}
        everybody, all_of_us = busy.pop("everybody"), busy.pop("all of us")
        return {name: round(cores, 3) for name, cores in {**busy, "others": max(0.0, everybody - all_of_us)}.items()}

    def _read(self) -> dict[str, float]:
        parents, seconds = _processes()
        trees = {**self._watched, "client": os.getpid(), "all of us": self._us}
        used = {name: sum(seconds[each] for each in tree(pid, parents)) for name, pid in trees.items()}
        return {**used, "everybody": _everybody()}


def _processes() -> tuple[dict[int, int], dict[int, float]]:
    """Of every process its parent, and the seconds used by it and by its children that have ended."""
    parents, seconds = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        pid = int(path.parent.name)
        parents[pid] = int(fields[1])
        seconds[pid] = sum(map(int, fields[11:15])) / TICKS
    return parents, seconds


def tree(pid: int, parents: dict[int, int]) -> set[int]:
    """A process and those it started, as far as they are there."""
    found = {pid} & parents.keys()
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _everybody() -> float:
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(int(fields[index]) for index in BUSY) / TICKS
