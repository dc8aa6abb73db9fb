"""What a benchmark says: a table for people, JSON for comparisons, and whether the machine let it be told at all."""

from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table

from tests.bench.machine import Machine

RESULTS = Path("bench-results")
MOST_OTHERS = 0.2  # cores that other programs may use meanwhile


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """The median of its rounds. `noise` is why it cannot be told, where it cannot; `met` whether it is what we want."""

    name: str
    unit: str
    value: float
    rounds: list[float]
    noise: str = ""
    target: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        if self.noise:
            return f"too noisy to tell: {self.noise}"
        return {None: "", True: f"{self.target}: met", False: f"{self.target}: NOT met"}[self.met]


def figure(
    name: str,
    unit: str,
    rounds: list[float],
    *,
    bound: float,
    others: float = 0.0,
    least: float | None = None,
    most: float | None = None,
) -> Figure:
    """Judge the rounds of one figure: more than `bound` between them, as a part of the median, is noise."""
    value = median(rounds)
    spread = (max(rounds) - min(rounds)) / value if value else 0.0
    noise = ""
    if others > MOST_OTHERS:
        noise = f"other programs used {others:.1f} cores"
    elif spread > bound:
        noise = f"rounds differ by {spread:.0%}, more than {bound:.0%}"
    met = None if least is None and most is None else value >= (least or 0.0) and value <= (most or float("inf"))
    target = f">= {least:g}" if least is not None else f"<= {most:g}" if most is not None else ""
    return Figure(name=name, unit=unit, value=value, rounds=rounds, noise=noise, target=target, met=met)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`details` is what the figures were made of, by name."""

    benchmark: str
    title: str
    figures: list[Figure]
    details: dict[str, dict[str, float]]
    notes: list[str]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A report as it is written to a file."""

    began: datetime
    quick: bool
    machine: Machine
    report: Report


def show(report: Report, machine: Machine, console: Console) -> None:
    table = Table(title=report.title, title_justify="left", caption=str(machine), caption_justify="left")
    for heading in ("", "value", "rounds", "verdict"):
        table.add_column(heading, justify="right" if heading in ("value", "rounds") else "left")
    for each in report.figures:
        rounds = f"{_short(min(each.rounds))} - {_short(max(each.rounds))}" if len(each.rounds) > 1 else ""
        verdict = "too noisy to tell" if machine.too_busy else each.verdict
        table.add_row(each.name, f"{_short(each.value)} {each.unit}".rstrip(), rounds, verdict)
    console.print(table)
    if machine.too_busy:
        console.print(f"[yellow]Too noisy to tell: {machine.too_busy}.")
    if report.details:
        console.print(_details(report.details))
    for note in report.notes:
        console.print(note)


def _details(details: dict[str, dict[str, float]]) -> Table:
    table = Table()
    headings = list(dict.fromkeys(heading for row in details.values() for heading in row))
    table.add_column("")
    for heading in headings:
        table.add_column(heading, justify="right")
    for name, row in details.items():
        table.add_row(name, *(_short(row[heading]) if heading in row else "" for heading in headings))
    return table


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def keep(report: Report, machine: Machine, *, quick: bool, directory: Path = RESULTS) -> Path:
    """Write a report to a file of its own."""
    began = datetime.now(UTC)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{report.benchmark}-{began:%Y%m%dT%H%M%S}{'-quick' if quick else ''}.json"
    kept = Kept(began=began, quick=quick, machine=machine, report=report)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(kept)))
    return path
