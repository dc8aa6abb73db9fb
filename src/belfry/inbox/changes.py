"""Reading, unreading and deleting: one request is one change number and one event, however many rows."""

import msgspec

from belfry.realtime import frames
from belfry.realtime.frames import InboxChanged
from db import Tx
from db.queries import inbox, marks
from db.queries.inbox import Box, Key
from db.queries.marks import Mark


class Marked(msgspec.Struct, frozen=True):
    """The badge afterwards, and what to tell the streams; None where nothing changed."""

    unread: int
    message: InboxChanged | None


async def mark(tx: Tx, user_id: int, how: Mark, ids: list[int]) -> Marked:
    """Mark the given items. Ids that are not this user's own are passed over."""
    box = await inbox.lock(tx, user_id)
    return await _mark(tx, box, how, ids)


async def mark_through(tx: Tx, user_id: int, how: Mark, notification_id: int) -> Marked:
    """Mark an item and all that stands below it in the list at this moment.

    No broadcast may arrive while this is decided: clients apply the same words to the list they have, and one that
    came before the event but was not counted here would be read on their screens only.
    """
    await inbox.lock_broadcasts(tx)
    box = await inbox.lock(tx, user_id)
    key = await inbox.key(tx, box, notification_id)
    if key is None:
        return Marked((await inbox.position(tx, user_id)).total, None)
    return await _mark(tx, box, how, key)


async def _mark(tx: Tx, box: Box, how: Mark, which: list[int] | Key) -> Marked:
    personal = await marks.personal(tx, box, how, which)
    broadcasts = await marks.broadcasts(tx, box, how, which)
    changed = personal.ids + broadcasts.ids
    message = None
    if changed:
        fewer = how is not Mark.UNREAD
        unread = -personal.unread if fewer else len(personal.ids)
        await inbox.advance(tx, box, unread=unread)
        # through the highest item that changed: the one asked for may be deleted, and then no client knows its place
        through = max((top for top in (personal.top, broadcasts.top) if top is not None), key=Key.order)
        named = isinstance(which, list)
        event = frames.state(how, sorted(changed)) if named else frames.state_through(how, through.id)
        message = InboxChanged(
            box.user_id,
            box.modseq + 1,
            box.unread + unread,
            [event],
            broadcasts=-broadcasts.unread if fewer else len(broadcasts.ids),
            newest_broadcast=broadcasts.newest,
        )
    return Marked((await inbox.position(tx, box.user_id)).total, message)
