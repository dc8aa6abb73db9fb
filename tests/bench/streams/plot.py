"""The figures that have a target, as an SVG: how far each is from it, and what memory did meanwhile."""

from html import escape

from tests.bench.report import Figure
from tests.bench.streams.holding import Memory

WIDTH = 900
LEFT = 360  # of the bars
UNIT = 220  # pixels for exactly the target
ROW = 22
CHART = 180
COLOURS = {True: "#2a7", False: "#c33", None: "#888"}


def svg(title: str, figures: list[Figure], memory: Memory) -> str:
    judged = [each for each in figures if each.target[:1] in ("<", ">")]  # a bar needs a length to reach
    bars = "".join(_bar(each, 40 + at * ROW) for at, each in enumerate(judged))
    below = 60 + len(judged) * ROW
    line = f'<line x1="{LEFT + UNIT}" x2="{LEFT + UNIT}" y1="32" y2="{below - 20}" stroke="#000" stroke-dasharray="3"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{below + CHART + 50}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
        f"{_text(10, 20, title)}{bars}{line}{_memory(memory, below)}</svg>\n"
    )


def _bar(each: Figure, y: int) -> str:
    """How much of its limit it took, or how much of what was wanted it reached."""
    sign, _, target = each.target.partition(" ")
    part = each.value / float(target)
    width = min(WIDTH - LEFT - 100, part * UNIT)
    colour = COLOURS[None if each.noise else each.met]
    return (
        f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{ROW - 6}" fill="{colour}"/>'
        f"{_text(10, y + 12, each.name)}"
        f"{_text(LEFT + width + 6, y + 12, f'{each.value:,.4g} {each.unit} ({sign} {float(target):,g})')}"
    )


def _memory(memory: Memory, top: int) -> str:
    most, last = max(memory.mb) * 1.1, memory.seconds[-1] or 1.0
    points = " ".join(
        f"{40 + second / last * (WIDTH - 80):.1f},{top + 20 + (1 - mb / most) * CHART:.1f}"
        for second, mb in zip(memory.seconds, memory.mb, strict=True)
    )
    base = top + 20 + CHART
    return (
        f"{_text(10, top + 10, f'Memory (MB) in {last:,.0f} s of streams that come and vanish')}"
        f'<polyline points="{points}" fill="none" stroke="#36c" stroke-width="2"/>'
        f'<line x1="40" x2="{WIDTH - 40}" y1="{base}" y2="{base}" stroke="#000"/>'
        f"{_text(40, base + 16, f'0 to {most:,.0f} MB; at the end {memory.mb[-1]:,.1f} MB')}"
    )


def _text(x: float, y: float, words: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}">{escape(words)}</text>'
