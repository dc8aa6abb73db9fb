"""The repair half of the queue: it reads PostgreSQL and needs no memory of what went wrong."""

import logging

from db.queries import deliveries, expansions
from tasks.context import Context

__all__ = ["sweep"]

logger = logging.getLogger("belfry.sweep")


async def sweep(context: Context) -> None:
    """Take back what dead workers held, and ring for whatever waits."""
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
    for notification_id in waiting:
        context.bell.ring_expand(notification_id)
    if due:
        context.bell.ring()
