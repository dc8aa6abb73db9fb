"""Stopping what was sent but has not gone, trying again what did not get through, and following what happened."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from belfry.errors import Conflict, NotFound
from belfry.sending.bell import QueueBell
from belfry.web import parameters
from belfry.web.access import Access, Who, allow
from belfry.web.languages import retold
from belfry.web.problems import CHANGES, NEEDS_LOGIN, documented
from db import Database, Tx
from db.models import KeyScope, Role
from db.queries import control, traces
from db.queries.control import Standing
from db.queries.notifications import Item
from db.queries.paging import LARGEST_ID
from db.queries.sessions import Principal
from db.queries.traces import Trace

STATES = {
    "none": "its state is `none`, it has arrived and has no e-mail",
    "processing": "its state is `processing`, and the mail server has been given what there is",
}


class ControlController(Controller):
    path = "/v1/notifications/{notification_id:int}"
    tags = ["Notifications"]

    @post("/cancel", status_code=200, responses=documented(*NEEDS_LOGIN, CHANGES, 404, 409), summary="Cancel")
    async def cancel(
        self,
        notification_id: FromPath[int],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        bell: NamedDependency[QueueBell],
    ) -> Item:
        """Keep a scheduled notification from arriving, and e-mails from being sent. For its sender and admins.

        An item that has arrived stays in the inbox. Of a broadcast, e-mails that were sent before stay sent. 409 if
        there is nothing left to cancel; it names the state.
        """
        async with db.statement() as tx:
            found = await _access(tx, notification_id, me, KeyScope.BROADCAST)
        reason = f"cancelled by {'the sender' if found.sender_id == me.user_id else 'an admin'}"
        async with db.statement() as tx:
            cancelled = await control.cancel_scheduled(tx, found.id, reason=reason)
        if not cancelled:
            stop = control.cancel_broadcast if found.broadcast else control.cancel_queued
            async with db.begin() as tx:
                if not await stop(tx, found.id, reason=reason):
                    raise await _conflict(tx, found.id, "cancelled")
            if found.broadcast:
                bell.ring_expand(found.id)
        async with db.statement() as tx:
            return await control.as_sent(tx, found.id)

    @post("/retry", status_code=200, responses=documented(*NEEDS_LOGIN, CHANGES, 404, 409), summary="Try again")
    async def retry(
        self,
        notification_id: FromPath[int],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        bell: NamedDependency[QueueBell],
    ) -> Item:
        """Send an e-mail that failed or is uncertain again, at once and with all its tries. For its sender and admins.

        Of a broadcast, all such e-mails. 409 if there is none; it names the state.
        """
        async with db.statement() as tx:
            found = await _access(tx, notification_id, me, KeyScope.BROADCAST)
        after = retried = 0
        while True:
            async with db.begin() as tx:
                some = await control.retry(tx, found.id, after=after)
            if some.count == 0:
                break
            after, retried = some.last, retried + some.count
        async with db.statement() as tx:
            if retried == 0:
                raise await _conflict(tx, found.id, "tried again")
            bell.ring()
            return await control.as_sent(tx, found.id)

    @get("/trace", responses=documented(*NEEDS_LOGIN, 403, 404, 422), summary="Follow one")
    async def trace(
        self,
        notification_id: FromPath[int],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        language: NamedDependency[str],
        user: Annotated[
            int | None,
            QueryParameter(ge=1, le=LARGEST_ID, description="Of a broadcast, this user's e-mail and reading"),
        ] = None,
    ) -> Trace:
        """Everything that happened to a notification, each attempt to send it included. For its sender and admins."""
        async with db.snapshot() as tx:
            found = await _access(tx, notification_id, me, KeyScope.READ)
            trace = await traces.trace(tx, found.id, user_id=user)
        assert trace is not None  # it is the same snapshot
        deliveries = [
            msgspec.structs.replace(
                retold(each, language, "reason"),
                attempts=[retold(attempt, language, "text") for attempt in each.attempts],
            )
            for each in trace.deliveries
        ]
        return msgspec.structs.replace(retold(trace, language, "reason"), deliveries=deliveries)


async def _access(tx: Tx, notification_id: int, me: Principal, scope: KeyScope) -> Standing:
    """The notification, for its sender and for admins; a broadcast only while one might send it, with this scope.

    Raises:
        NotFound: there is none, or it is somebody else's.
        Forbidden: it is a broadcast, and one's own, but not one's business any more, or not this credential's.
    """
    found = await control.standing(tx, parameters.storable(notification_id))
    if found is None or (found.sender_id != me.user_id and me.role is not Role.ADMIN):
        raise NotFound("There is no such notification.")
    if found.broadcast:
        allow(me, Access(Who.SENDERS, (scope,)))
    return found


async def _conflict(tx: Tx, notification_id: int, what: str) -> Conflict:
    standing = await control.standing(tx, notification_id)
    if standing is None:
        return Conflict("It was removed at this moment.")
    return Conflict(f"It cannot be {what}: {STATES.get(standing.status, f'its state is `{standing.status}`')}.")
