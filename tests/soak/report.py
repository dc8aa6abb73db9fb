"""What a soak says: one table, and a file with the evidence for every promise that broke."""

from collections import Counter
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from tests.soak.evidence import Broken, Delivery, Evidence, Hurt, percentile
from tests.soak.plan import Plan
from tests.soak.promises import PROMISES
from tests.soak.verdict import mails, streams

AROUND = 20.0
"""Seconds before and after a breach whose faults are shown with it."""
MOST = 50
"""Breaches of one kind that are written out; the rest are counted."""
MUST_BE_NONE = (
    "lost",
    "repeated without a reason",
    "copies with two Message-IDs",
    "badge mismatches",
    "events missed",
    "events duplicated",
    "events out of order",
    "foreign data",
    "false 2xx",
)


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """A breach as it is written down, with what was being done to the scene around that time."""

    broken: Broken
    promise: str
    around: list[Hurt]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    plan: Plan
    counts: dict[str, int]
    breaches: list[Breach]


def show(evidence: Evidence, broken: list[Broken], plan: Plan, console: Console) -> None:
    kinds = Counter(each.kind for each in broken)
    table = Table(title=f"Soak of {plan.seconds:.0f} s with seed {plan.seed}", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    for name, value in _figures(evidence, plan).items():
        table.add_row(name, value)
    table.add_section()
    for kind in (*MUST_BE_NONE, *sorted(kinds.keys() - set(MUST_BE_NONE))):
        table.add_row(kind, f"[bold red]{kinds[kind]}" if kinds[kind] else "0")
    console.print(table)
    for number in sorted({each.promise for each in broken}):
        console.print(f"[bold red]Promise {number} broke:[/] {PROMISES[number]}")


def _figures(evidence: Evidence, plan: Plan) -> dict[str, str]:
    statuses = Counter(delivery.status for delivery in evidence.deliveries)
    accepted = [sent for sent in evidence.sent if sent.accepted]
    requests = [each for sent in evidence.sent for each in sent.tries]
    mail, events = _mail_delays(evidence), [delay for _, delay in streams.delays(evidence)]
    return {
        "faults": f"{len(evidence.hurts)}",
        "requests to send": f"{len(requests)}",
        "... without an answer": f"{sum(each.status is None for each in requests)}",
        "... refused with 503": f"{sum(each.status == 503 for each in requests)}",
        "accepted": f"{len(accepted)}",
        "marks accepted": f"{sum(bool(each.tries) and each.tries[-1].accepted for each in evidence.marked)}",
        "notifications": f"{len(evidence.items)}",
        "e-mails": f"{len(evidence.deliveries)}",
        **{f"... {status}": f"{count}" for status, count in sorted(statuses.items())},
        **{f"repeated copies: {reason}": f"{count}" for reason, count in sorted(_reasons(evidence, plan).items())},
        "times a stream was opened": f"{sum(heard.told[-1].opening for heard in evidence.heard if heard.told)}",
        "items told to streams": f"{len(events)}",
        "delay of mail, p99 and worst": _seconds(mail),
        "delay of events, p99 and worst": _seconds(events),
        "time to converge, mail": _converged(evidence.mail_seconds),
        "time to converge, streams": _converged(evidence.stream_seconds),
    }


def _reasons(evidence: Evidence, plan: Plan) -> Counter[str]:
    copies = mails.by_message(evidence)
    return Counter(
        reason
        for delivery in evidence.deliveries
        for reason in mails.reasons(evidence, plan, delivery, copies[mails.message(evidence, delivery)])
    )


def _mail_delays(evidence: Evidence) -> list[float]:
    copies = mails.by_message(evidence)

    def delay(delivery: Delivery) -> float:
        return min(copy.at for copy in copies[mails.message(evidence, delivery)]) - delivery.created

    return [delay(each) for each in evidence.deliveries if copies[mails.message(evidence, each)]]


def _seconds(delays: list[float]) -> str:
    return f"{percentile(delays, 0.99):.2f} s, {max(delays, default=0.0):.2f} s"


def _converged(seconds: float | None) -> str:
    return "[bold red]never" if seconds is None else f"{seconds:.1f} s"


def keep(evidence: Evidence, broken: list[Broken], plan: Plan, path: Path) -> None:
    """Write down the breaches, each with the faults around it."""
    counts = Counter(each.kind for each in broken)
    shown: Counter[str] = Counter()
    breaches = []
    for each in broken:
        shown[each.kind] += 1
        if shown[each.kind] <= MOST:
            around = [hurt for hurt in evidence.hurts if hurt.touches(each.at - AROUND, each.at + AROUND)]
            breaches.append(Breach(broken=each, promise=PROMISES[each.promise], around=around))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(Findings(plan=plan, counts=counts, breaches=breaches))))
