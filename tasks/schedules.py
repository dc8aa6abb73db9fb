"""The job that runs the schedules: each minute, and with every sweep."""

import logging

from belfry.schedules import running
from db import is_passing
from db.queries import schedules
from tasks.context import Context

__all__ = ["run_schedules"]

logger = logging.getLogger("belfry.schedules")


async def run_schedules(context: Context) -> None:
    """Run what is due, each schedule in a transaction of its own. Safe to run twice, anywhere, at any time."""
    async with context.db.statement() as tx:
        due = await schedules.due(tx)
    for schedule_id in due:
        try:
            async with context.db.begin() as tx:
                published = await running.run_due(tx, schedule_id)
        except Exception as error:
            if is_passing(error):
                raise
            logger.exception("schedule %d could not be run; the others are", schedule_id)
        else:
            published.tell(context.announcer, context.bell)
