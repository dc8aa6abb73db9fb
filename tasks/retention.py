"""The job that moves the window: what is older goes, in small batches, and every open stream hears of it."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from belfry.realtime import frames
from belfry.realtime.frames import BroadcastChanged, InboxChanged
from belfry.sending import idempotency
from db import is_passing
from db.queries import audit, inbox, refresh_tokens, retention, schedules, security_mails, sessions, tickets
from db.queries import idempotency as answers
from db.queries.marks import Mark
from tasks.context import Context

__all__ = ["retire"]

logger = logging.getLogger("belfry.retention")

Step = Callable[[], Awaitable[bool]]


async def retire(context: Context) -> None:
    """Remove items older than the window, and logins, tickets, kept answers and records whose time is over.

    A batch of each kind in turn, until there are no more: much of one keeps none of the others back. Cut off at any
    point, the next run goes on.
    """
    steps = _steps(context)
    while steps:
        steps = [step for step in steps if await _has_more(step)]


def _steps(context: Context) -> list[Step]:
    """Each removes one batch and says whether there may be more."""

    def forget(some: Callable[..., Awaitable[bool]], **older_than: int) -> Step:
        async def step() -> bool:
            async with context.db.statement() as tx:
                return await some(tx, **older_than)

        return step

    settings = context.settings
    days, audit_days = settings.window_days, settings.audit_days
    return [
        partial(_retire_personal, context, days),
        partial(_withdraw_broadcast, context, days),
        partial(_remove_withdrawn, context),
        forget(retention.forget_never_arrived, days=days),
        forget(sessions.forget_expired),
        forget(refresh_tokens.forget, days=settings.session_days),
        forget(tickets.forget_expired),
        forget(security_mails.forget, days=days),
        forget(answers.forget, hours=idempotency.KEEP_HOURS),
        forget(audit.forget, days=audit_days),
        forget(schedules.forget_runs, days=audit_days),
    ]


async def _has_more(step: Step) -> bool:
    try:
        return await step()
    except (SQLAlchemyError, OSError) as error:
        if not is_passing(error):
            raise
        logger.warning("PostgreSQL did not remove what is old (%s); the next run goes on", type(error).__name__)
        return False


async def _retire_personal(context: Context, days: int) -> bool:
    async with context.db.statement() as tx:
        users = await retention.users_with_old_items(tx, days=days)
    for user_id in users:
        await _retire_inbox(context, user_id, days)
    return bool(users)


async def _retire_inbox(context: Context, user_id: int, days: int) -> None:
    async with context.db.statement() as tx:
        await retention.remove_personal_mails(tx, user_id, days=days)
    async with context.db.begin() as tx:
        box = await inbox.lock(tx, user_id)
        removed = await retention.remove_personal(tx, box, days=days)
    if removed.ids:
        event = frames.state(Mark.DELETED, removed.ids)
        context.announcer.tell([InboxChanged(user_id, box.modseq + 1, box.unread - removed.unread, [event])])


async def _withdraw_broadcast(context: Context, days: int) -> bool:
    async with context.db.begin() as tx:
        withdrawn = await retention.withdraw_broadcast(tx, days=days)
    if withdrawn is None:
        return False
    notification_id, number = withdrawn
    if number is not None:
        event = frames.state(Mark.DELETED, [notification_id])
        context.announcer.tell([BroadcastChanged(number, False, [event])])
    return True


async def _remove_withdrawn(context: Context) -> bool:
    """Remove the rows of broadcasts that nobody can see any more."""
    async with context.db.statement() as tx:
        withdrawn = await retention.withdrawn(tx)
    for notification_id in withdrawn:
        for remove in (retention.remove_receipts, retention.remove_mails):
            after: int | None = 0
            while after is not None:
                async with context.db.statement() as tx:
                    after = await remove(tx, notification_id, after=after)
        async with context.db.statement() as tx:
            await retention.remove_broadcast(tx, notification_id)
    return bool(withdrawn)
