"""The job that lets scheduled notifications arrive."""

from datetime import UTC, datetime, timedelta

from belfry.sending import publish
from db.models import DeliveryStatus
from db.queries import arrivals
from tasks.context import Context

__all__ = ["arrive"]

SOON = 0.5  # seconds, after which to look again at what is due but held by somebody


async def arrive(context: Context) -> None:
    """Let arrive what is due, a batch a transaction, and ring for what comes next. Safe to run twice, anywhere."""
    while await _some_personal(context):
        pass
    while await _a_broadcast(context):
        pass
    async with context.db.statement() as tx:
        seconds = await arrivals.seconds_to_next(tx)
    if seconds is not None:
        context.bell.ring_at(datetime.now(UTC) + timedelta(seconds=seconds if seconds > 0 else SOON))


async def _some_personal(context: Context) -> bool:
    async with context.db.begin() as tx:
        arrived = await arrivals.personal(tx)
    context.announcer.tell(message for row, item in arrived for message in publish.told(row, item))
    if any(row.status == DeliveryStatus.PENDING for row, _ in arrived):
        context.bell.ring()
    return bool(arrived)


async def _a_broadcast(context: Context) -> bool:
    async with context.db.begin() as tx:
        arrived = await arrivals.broadcast(tx)
    if arrived is None:
        return False
    row, item = arrived
    context.announcer.tell(publish.told(row, item))
    if row.status == DeliveryStatus.PENDING:
        context.bell.ring_expand(row.id)
    return True
