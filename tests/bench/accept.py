"""Accepting: how many notifications a second one web process commits, against a handler that only inserts a row."""

from statistics import median

import msgspec

from db.models import Role
from tests import rows
from tests.bench.client.in_turn import InTurn, Took
from tests.bench.client.load import Carried, Load
from tests.bench.client.wire import request
from tests.bench.report import Figure, Report, figure
from tests.bench.stage import Served, Stage

BOUND = 0.15  # between rounds
SATURATED = 0.9  # of a core
LEAST_RATIO = 0.5
LEAST_PER_SECOND = 1_000
MOST_BATCH_MS = 150
TEXT = "All 412 tests are green, in 3 minutes and 20 seconds. The log is kept for a week."


class Size(msgspec.Struct, frozen=True, kw_only=True):
    rounds: int = 5
    seconds: float = 5.0
    warm_up: float = 1.0
    recipients: int = 1_000
    batches: int = 20


FULL = Size()
QUICK = Size(rounds=2, seconds=0.5, warm_up=0.2, recipients=1_000, batches=3)


async def run(stage: Stage, size: Size) -> Report:
    async with stage.database() as db:
        sender = await stage.user(db, "sender@example.com", Role.SENDER)
        recipients = await rows.users(db, size.recipients)
    sends = [
        request(
            "POST", "/v1/notifications", token=sender.token, body={"to": each, "title": "Build passed", "content": TEXT}
        )
        for each in recipients
    ]
    inserts = [request("POST", "/rows", body={"title": "Build passed"})]
    batch = {"to": recipients, "title": "Build passed", "content": TEXT}
    task = stage.progress.add_task("accept: sends and bare inserts by turns", total=size.rounds + 1)
    belfry: list[Carried] = []
    bare: list[Carried] = []
    async with stage.serving() as web, stage.serving("tests.bench.bare") as other:
        for _ in range(size.rounds):
            belfry.append(await stage.ask(_load(stage, size, web, sends), Carried))
            bare.append(await stage.ask(_load(stage, size, other, inserts), Carried))
            stage.progress.advance(task)
        batches = await stage.ask(
            InTurn(
                port=web.port,
                requests={"batch": request("POST", "/v1/notifications/batch", token=sender.token, body=batch)},
                repeats=size.batches,
                warm_up=2,
                expect=202,
            ),
            Took,
        )
        stage.progress.advance(task)
    return Report(
        benchmark="accept",
        title="Accepting notifications: POST /v1/notifications, 32 connections, one web process",
        figures=_figures(belfry, bare, batches.ms["batch"], size),
        details={"belfry": _detail(belfry), "bare handler": _detail(bare)},
        notes=[f"The limit of Belfry: {limit(belfry)}.", f"The limit of the bare handler: {limit(bare)}."],
    )


def _load(stage: Stage, size: Size, server: Served, requests: list[str]) -> Load:
    watched = {"server": server.pid, **stage.watched}
    return Load(
        port=server.port,
        requests=requests,
        seconds=size.seconds,
        warm_up=size.warm_up,
        expect=202,
        watched=watched,
    )


def _figures(belfry: list[Carried], bare: list[Carried], batch_ms: list[float], size: Size) -> list[Figure]:
    others = max(each.busy["others"] for each in (*belfry, *bare))
    sends = [each.per_second for each in belfry]
    inserts = [each.per_second for each in bare]
    ratios = [ours / theirs for ours, theirs in zip(sends, inserts, strict=True)]
    return [
        figure("sends", "/s", sends, bound=BOUND, others=others, least=LEAST_PER_SECOND),
        figure("bare inserts", "/s", inserts, bound=BOUND, others=others),
        figure("sends : bare inserts", "", ratios, bound=BOUND, others=others, least=LEAST_RATIO),
        figure(
            f"batch of {size.recipients:,}", "ms", _thirds(batch_ms), bound=2 * BOUND, others=others, most=MOST_BATCH_MS
        ),
    ]


def _thirds(values: list[float]) -> list[float]:
    """The medians of three parts, in order: rounds of what was measured in one go."""
    part = len(values) // 3
    return [median(values[at : at + part]) for at in (0, part, 2 * part)]


def _detail(rounds: list[Carried]) -> dict[str, float]:
    """The medians of the rounds: processors in cores kept busy, and what that is for one answer."""
    cost = {
        f"{name} (ms/answer)": median(each.busy[name] * 1e3 / each.per_second for each in rounds)
        for name in rounds[0].busy
        if name != "others"
    }
    busy = {f"{name} (cores)": median(each.busy[name] for each in rounds) for name in rounds[0].busy}
    return {
        "median (ms)": median(each.median_ms for each in rounds),
        "p99 (ms)": median(each.p99_ms for each in rounds),
        **busy,
        **cost,
    }


def limit(rounds: list[Carried]) -> str:
    """What was busy all the time, and so decided how fast it went."""
    server, client = (median(each.busy[name] for each in rounds) for name in ("server", "client"))
    if client >= SATURATED:
        return f"the client ({client:.2f} cores), so the server could do more than this"
    if server >= SATURATED:
        return f"the server's one core ({server:.2f})"
    return f"neither server ({server:.2f} cores) nor client ({client:.2f}): the disk, or what shares the cores"
