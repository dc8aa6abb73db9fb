"""The inbox: the badge and the first page must cost the same with a hundred notifications in it and with a million."""

from statistics import median

import msgspec

from tests import rows
from tests.bench.client.in_turn import InTurn, Took
from tests.bench.client.wire import request
from tests.bench.inboxes import Layout, fill
from tests.bench.report import Report, figure
from tests.bench.stage import Stage

MOST = 1.2
BOUND = 0.1  # between rounds
PATHS = {
    "badge": "/v1/notifications/unread-count",
    "first page": "/v1/notifications?page_size=10&type=all",
    "first page, unread": "/v1/notifications?page_size=10&state=unread",
    "first page, read": "/v1/notifications?page_size=10&state=read",
}


class Size(msgspec.Struct, frozen=True, kw_only=True):
    layout: Layout = Layout()
    rounds: int = 5
    repeats: int = 100
    warm_up: int = 20


FULL = Size()
QUICK = Size(layout=Layout(block=200, medium=10, large=100), rounds=2, repeats=20, warm_up=5)


async def run(stage: Stage, size: Size) -> Report:
    large, medium, small = (f"{count:,}" for count in reversed(size.layout.sizes))
    async with stage.database() as db:
        owners = [await stage.user(db, f"owner-of-{each}@example.com") for each in (large, medium, small)]
        others = await rows.users(db, size.layout.others - 1)
        await fill(db, size.layout, [*(owner.id for owner in owners), *others], stage.progress)
    requests = {
        f"{what}, {count}": request("GET", path, token=owner.token)
        for what, path in PATHS.items()
        for count, owner in zip((large, medium, small), owners, strict=True)
    }
    task = stage.progress.add_task("inbox: reading badges and pages by turns", total=size.rounds)
    rounds: list[dict[str, list[float]]] = []
    async with stage.serving(page_cache="false") as web:
        for _ in range(size.rounds):
            job = InTurn(port=web.port, requests=requests, repeats=size.repeats, warm_up=size.warm_up, expect=200)
            rounds.append((await stage.ask(job, Took)).ms)
            stage.progress.advance(task)
    return Report(
        benchmark="inbox",
        title=f"The inbox, of {small}, {medium} and {large} notifications, in a table of "
        f"{size.layout.blocks * size.layout.block:,}, without the page cache",
        figures=[
            figure(
                f"{what}: {count} against {small}",
                "x",
                [median(each[f"{what}, {count}"]) / median(each[f"{what}, {small}"]) for each in rounds],
                bound=BOUND,
                most=MOST,
            )
            for what in PATHS
            for count in (medium, large)
        ],
        details={
            f"{what}, {count}": _summary([took for each in rounds for took in each[f"{what}, {count}"]])
            for what in PATHS
            for count in (small, medium, large)
        },
        notes=[],
    )


def _summary(ms: list[float]) -> dict[str, float]:
    ms = sorted(ms)
    return {"min (ms)": ms[0], "median (ms)": median(ms), "p99 (ms)": ms[len(ms) * 99 // 100]}
