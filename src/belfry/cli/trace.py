"""`belfry trace`: what happened to a notification, as a timeline."""

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click

from belfry.cli.database import run

if TYPE_CHECKING:
    from db import Database
    from db.queries.traces import DeliveryTrace, Trace


@click.command("trace")
@click.argument("notification_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@click.option("--user", type=click.IntRange(1, 2**63 - 1), help="Of a broadcast, follow this user's e-mail.")
@click.option("--json", "as_json", is_flag=True, help="Print what the API answers.")
def command(notification_id: int, user: int | None, as_json: bool) -> None:
    """Show what happened to a notification, and when (UTC)."""
    import msgspec
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from db.queries import traces

    async def work(db: "Database") -> "Trace | None":
        async with db.snapshot() as tx:
            return await traces.trace(tx, notification_id, user_id=user)

    trace = run(work)
    if trace is None:
        sys.exit(f"There is no notification {notification_id}.")
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(trace)).decode())
        return
    console = Console()
    console.print(f"[bold]{escape(trace.title)}[/]  {trace.type} {trace.id}, {trace.status}", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for at, what in timeline(trace):
        table.add_row(f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3] if at else "", escape(_printable(what)))
    console.print(table)


def timeline(trace: "Trace") -> "Iterator[tuple[datetime | None, str]]":
    """What happened, each with its time where it has one, in order."""
    yield from sorted(_happened(trace), key=lambda each: each[0])
    for delivery in trace.deliveries:
        yield from _stands(delivery)
    if trace.status == "cancelled" and not any(delivery.reason for delivery in trace.deliveries):
        yield None, trace.reason or trace.status


def _printable(text: str) -> str:
    """A mail server may say anything, and a terminal does as it is told."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _happened(trace: "Trace") -> "Iterator[tuple[datetime, str]]":
    yield trace.accepted_at, "accepted"
    if trace.send_at and trace.arrived_at is None:
        yield trace.send_at, "to arrive"
    if trace.arrived_at:
        yield trace.arrived_at, "arrived" if trace.send_at is None else f"arrived, due at {trace.send_at:%H:%M:%S}"
    if trace.expansion:
        yield trace.expansion.started_at, "began to create e-mails"
        if trace.expansion.finished_at:
            yield trace.expansion.finished_at, f"{trace.expansion.created} e-mails created"
    for delivery in trace.deliveries:
        yield from _tried(delivery)
    if trace.read_at:
        yield trace.read_at, "read"


def _tried(delivery: "DeliveryTrace") -> "Iterator[tuple[datetime, str]]":
    if delivery.queued_at:
        yield delivery.queued_at, f"queued for user {delivery.user_id}"
    for number, attempt in enumerate(delivery.attempts, 1):
        yield attempt.started_at, f"attempt {number} by {attempt.worker or 'an unknown worker'}"
        said = " ".join(str(each) for each in (attempt.code, attempt.text) if each is not None)
        yield attempt.ended_at, f"attempt {number}: {attempt.outcome}" + (f", {said}" if said else "")


def _stands(delivery: "DeliveryTrace") -> "Iterator[tuple[datetime | None, str]]":
    match delivery.status:
        case "scheduled":
            pass
        case "pending":
            yield delivery.due_at, "due"
        case "processing":
            given = ", handed over to the mail server" if delivery.handed_over_at else ""
            yield delivery.handed_over_at, f"with {delivery.worker}{given}"
        case "sent":
            yield delivery.sent_at, "sent"
        case status:
            yield None, status + (f": {delivery.reason}" if delivery.reason else "")
