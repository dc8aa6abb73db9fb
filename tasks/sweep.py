"""The repair half of the queue: it reads PostgreSQL and needs no memory of what went wrong."""

import logging

from belfry.accounts import leaving
from db.queries import deliveries, departures, expansions
from tasks.arrive import arrive
from tasks.context import Context
from tasks.schedules import run_schedules

__all__ = ["sweep"]

logger = logging.getLogger("belfry.sweep")


async def sweep(context: Context) -> None:
    """Take back what dead workers held, ring for what waits, and do what is due that nobody was told of."""
    settings = context.settings
    async with context.db.statement() as tx:
        returned = await deliveries.return_expired(
            tx, settings.uncertain, attempts=settings.attempts, lease_seconds=settings.lease_seconds
        )
        if returned:
            logger.warning("took back %d deliveries whose lease had run out", returned)
        waiting = await expansions.unfinished(tx)
        await expansions.advance(tx)
        due = await deliveries.something_due(tx)
        gone = await departures.waiting(tx)
    for notification_id in waiting:
        context.bell.ring_expand(notification_id)
    if due:
        context.bell.ring()
    await arrive(context)
    await run_schedules(context)  # a tick may have been lost, or come early by a clock that is ahead
    for user_id in gone:
        await leaving.remove(context.db, user_id)
