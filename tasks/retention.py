"""The job that moves the window: what is older goes, in small batches, and every open stream hears of it."""

from belfry.realtime import frames
from belfry.realtime.frames import BroadcastChanged, InboxChanged
from belfry.sending import idempotency
from db.queries import audit, inbox, refresh_tokens, retention, schedules, security_mails, sessions, tickets
from db.queries import idempotency as answers
from db.queries.marks import Mark
from tasks.context import Context

__all__ = ["retire"]


async def retire(context: Context) -> None:
    """Remove items older than the window, and logins, tickets, kept answers and records whose time is over."""
    days = context.settings.window_days
    while users := await _users(context, days):
        for user_id in users:
            await _retire_personal(context, user_id, days)
    while await _withdraw_broadcast(context, days):
        pass
    while await _forget_never_arrived(context, days):
        pass
    await _remove_withdrawn(context)
    async with context.db.begin() as tx:
        await sessions.forget_expired(tx)
        await refresh_tokens.forget(tx, days=context.settings.session_days)
        await tickets.forget_expired(tx)
        await security_mails.forget(tx, days=days)
        await answers.forget(tx, hours=idempotency.KEEP_HOURS)
        await audit.forget(tx, days=context.settings.audit_days)
        await schedules.forget_runs(tx, days=context.settings.audit_days)


async def _users(context: Context, days: int) -> list[int]:
    async with context.db.statement() as tx:
        return await retention.users_with_old_items(tx, days=days)


async def _retire_personal(context: Context, user_id: int, days: int) -> None:
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


async def _forget_never_arrived(context: Context, days: int) -> bool:
    async with context.db.statement() as tx:
        return await retention.forget_never_arrived(tx, days=days)


async def _remove_withdrawn(context: Context) -> None:
    """Remove the rows of broadcasts that nobody can see any more. Killed at any point, the next run goes on."""
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
