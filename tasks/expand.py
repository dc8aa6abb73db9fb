"""The job that creates the e-mails of a broadcast."""

from db.queries import expansions
from tasks.context import Context

__all__ = ["expand"]

CHUNKS = 40  # a job, so that it ends well within its time


async def expand(context: Context, notification_id: int) -> None:
    """Go on where the last run got to. Each chunk is a transaction, so killed at any point it loses nothing."""
    for _ in range(CHUNKS):
        async with context.db.begin() as tx:
            progress = await expansions.expand(tx, notification_id)
        if progress is None:
            return
        if progress.created:
            context.bell.ring()
        context.progress.moved([notification_id])
        if progress.finished:
            async with context.db.statement() as tx:
                await expansions.advance(tx)
            return
    context.bell.ring_expand(notification_id)
