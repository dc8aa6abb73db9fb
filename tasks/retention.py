"""The job that moves the window: what is older goes, in small batches, and every open stream hears of it."""

from belfry.realtime import frames
from belfry.realtime.frames import BroadcastChanged, InboxChanged
from belfry.sending import idempotency
from db.queries import idempotency as answers
from db.queries import inbox, retention, sessions, tickets
from db.queries.marks import Mark
from tasks.context import Context

__all__ = ["retire"]


async def retire(context: Context) -> None:
    """Remove items older than the window, and logins, tickets and kept answers whose time is over."""
    days = context.settings.window_days
    while users := await _users(context, days):
        for user_id in users:
            await _retire_personal(context, user_id, days)
    while await _retire_broadcast(context, days):
        pass
    async with context.db.begin() as tx:
        await sessions.forget_expired(tx)
        await tickets.forget_expired(tx)
        await answers.forget(tx, hours=idempotency.KEEP_HOURS)


async def _users(context: Context, days: int) -> list[int]:
    async with context.db.statement() as tx:
        return await retention.users_with_old_items(tx, days=days)


async def _retire_personal(context: Context, user_id: int, days: int) -> None:
    async with context.db.begin() as tx:
        box = await inbox.lock(tx, user_id)
        removed = await retention.remove_personal(tx, box, days=days)
    if removed.ids:
        event = frames.state(Mark.DELETED, removed.ids)
        context.announcer.tell([InboxChanged(user_id, box.modseq + 1, box.unread - removed.unread, [event])])


async def _retire_broadcast(context: Context, days: int) -> bool:
    async with context.db.begin() as tx:
        removed = await retention.remove_broadcast(tx, days=days)
    if removed is None:
        return False
    notification_id, number = removed
    if number is not None:
        event = frames.state(Mark.DELETED, [notification_id])
        context.announcer.tell([BroadcastChanged(number, False, [event])])
    return True
