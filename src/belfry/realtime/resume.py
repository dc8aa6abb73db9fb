"""Telling streams where they stand, from PostgreSQL: at the start, after a hole, and when a client has caught up.

Position, changes and counts are read in one REPEATABLE READ transaction, for all streams that wait at that moment.
This is the repair half of the live path; it needs no memory of what went wrong.
"""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Literal

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from belfry.realtime import frames
from belfry.realtime.frames import BroadcastChanged, Event
from belfry.realtime.hub import Hub
from belfry.realtime.stream import Phase, Stream
from db import Database, Tx
from db.queries import changes, inbox, sessions
from db.queries.changes import Changes, Cursor, ItemChange, MarkChange
from db.queries.inbox import Position

log = structlog.get_logger()

TOGETHER = 500  # streams answered by one transaction
WITH_CHANGES = 50  # of them, those that missed something: what they missed is in memory at once
CHUNK = 32 * 1024  # bytes of replay between two looks at whether the client keeps up
PAUSE_AFTER_FAILURE = 0.5
GATHER = 0.005  # seconds in which streams that arrive in numbers wait for each other

NOTHING = Changes([], [], True)
Reason = Literal["unknown position", "position ahead of the server", "position too old", "too much was missed"]


class Wanted(msgspec.Struct, frozen=True):
    """A stream and the position it is at; `None` where it has none, or one that is not ours."""

    stream: Stream
    at: tuple[int, int] | None
    unknown: bool = False


class Reader:
    def __init__(self, hub: Hub, db: Database, *, replay_limit: int) -> None:
        self._hub = hub
        self._db = db
        self._limit = replay_limit

    async def run(self) -> None:
        """Serve the streams that are behind, for ever."""
        while True:
            await self._hub.something_behind.wait()
            self._hub.something_behind.clear()
            while self._hub.behind:
                waiting = self._take()
                try:
                    await self._serve(waiting)
                except (SQLAlchemyError, OSError) as error:
                    log.warning("cannot read positions; streams wait", streams=len(waiting), error=type(error).__name__)
                    self._hub.behind |= {wanted.stream: None for wanted in waiting}
                    await asyncio.sleep(PAUSE_AFTER_FAILURE)
                else:
                    if len(waiting) > 1:  # where two come at once, more do
                        await asyncio.sleep(GATHER)

    async def fill_holes(self) -> None:
        """Read broadcasts whose message did not come, once for all streams, for ever."""
        while True:
            await self._hub.broadcast_hole.wait()
            self._hub.broadcast_hole.clear()
            try:
                await self._fill()
            except (SQLAlchemyError, OSError) as error:
                log.warning("cannot read missed broadcasts", error=type(error).__name__)
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
                self._hub.broadcast_hole.set()

    async def check_positions(self) -> None:
        """Find what was lost on the way: streams behind their inbox, broadcasts nobody heard of, logins that ended."""
        streams = [stream for of_user in self._hub.users.values() for stream in of_user]
        stood = [(stream, stream.inbox) for stream in streams]
        heard = self._hub.heard
        async with self._db.snapshot() as tx:
            numbers = await inbox.numbers(tx, {stream.user_id for stream in streams})
            clock = await inbox.broadcast_number(tx)
            alive = await sessions.alive(tx, list({stream.session_id for stream in streams}))
        self._compare(clock, heard)
        self._hub.expect(clock)
        for stream, number in stood:
            now_at = numbers.get(stream.user_id)
            if now_at is None or stream.session_id not in alive:
                self._hub.end(stream)
            elif stream.phase is Phase.READING:
                self._hub.have_read(stream)
            elif now_at > stream.inbox or now_at < number:
                self._hub.catch_up(stream)

    async def start(self) -> None:
        """Take the broadcasts' number of this moment for the hub's."""
        async with self._db.statement() as tx:
            self._hub.broadcasts = await inbox.broadcast_number(tx)

    async def _fill(self) -> None:
        after, heard = self._hub.broadcasts, self._hub.heard
        async with self._db.snapshot() as tx:
            clock = await inbox.broadcast_number(tx)
            arrived = {change.modseq: change.item for change in await changes.broadcasts_after(tx, after)}
        # a number without a broadcast is one that was removed, or the removal itself: counts are read anew
        self._hub.fill(
            [
                BroadcastChanged(number, True, [frames.notification(arrived[number])])
                if number in arrived
                else BroadcastChanged(number, False, [])
                for number in range(after + 1, clock + 1)
            ]
        )
        self._compare(clock, heard)

    def _compare(self, clock: int, heard: int) -> None:
        """A message is published after its commit: what was heard before `clock` was read cannot be above it."""
        if heard > clock:
            log.warning("a broadcast that the database does not have was announced", number=heard, newest=clock)
            self._hub.correct(clock)

    def _take(self) -> list[Wanted]:
        """The next streams to serve, each with where it says it is."""
        taken: list[Wanted] = []
        while self._hub.behind and len(taken) < TOGETHER:
            stream = next(iter(self._hub.behind))
            del self._hub.behind[stream]
            if stream.phase is not Phase.READING:
                continue
            if stream.opened:
                taken.append(Wanted(stream, (stream.inbox, stream.broadcasts)))
            elif stream.cursor is None:
                taken.append(Wanted(stream, None))
            else:
                at = frames.position(stream.cursor)
                taken.append(Wanted(stream, at, unknown=at is None))
        return taken

    async def _serve(self, waiting: list[Wanted]) -> None:
        """Answer new streams by one statement, which sees one moment by itself, and the others in a transaction."""
        new = [wanted for wanted in waiting if wanted.at is None]
        if new:
            async with self._db.statement() as tx:
                for wanted, position in await self._positions(tx, new):
                    self._tell(wanted, position, NOTHING)
        if len(new) < len(waiting):
            async with self._db.snapshot() as tx:
                await self._resume(tx, [wanted for wanted in waiting if wanted.at is not None])

    async def _resume(self, tx: Tx, waiting: list[Wanted]) -> None:
        missing: list[tuple[Wanted, Position, Cursor]] = []
        for wanted, position in await self._positions(tx, waiting):
            if wanted.at is not None and _replayable(wanted.at, position):
                missing.append((wanted, position, Cursor(position.user_id, *wanted.at)))
            else:
                self._tell(wanted, position, NOTHING)
        for start in range(0, len(missing), WITH_CHANGES):
            some = missing[start : start + WITH_CHANGES]
            found = await changes.since(tx, [cursor for _, _, cursor in some], limit=self._limit)
            for (wanted, position, _), changed in zip(some, found, strict=True):
                self._tell(wanted, position, changed)

    async def _positions(self, tx: Tx, waiting: list[Wanted]) -> list[tuple[Wanted, Position]]:
        """Where the streams' users stand. A stream whose account was deleted meanwhile is ended."""
        heard = self._hub.heard
        positions = await inbox.positions(tx, {wanted.stream.user_id for wanted in waiting})
        if positions:
            self._compare(next(iter(positions.values())).broadcast_modseq, heard)
        found = [(wanted, positions.get(wanted.stream.user_id)) for wanted in waiting]
        for wanted, position in found:
            if position is None:
                self._hub.end(wanted.stream)
        return [(wanted, position) for wanted, position in found if position is not None]

    def _tell(self, wanted: Wanted, position: Position, changed: Changes) -> None:
        """Write what the stream missed and let it go live, or tell it to start over."""
        stream = wanted.stream
        if stream.phase is not Phase.READING or stream in self._hub.behind:
            return  # it is to be read again, because this may be too old
        reason = _refusal(wanted, position, changed)
        resumed = wanted.at is not None and reason is None
        replayed = changed.count if resumed else 0
        stream.offset = position.broadcasts_unread - position.broadcast_modseq
        if not stream.opened:
            stream.opened = True
            stream.at(*(wanted.at if wanted.at and replayed else (position.modseq, position.broadcast_modseq)))
            event = frames.opened(resumed=resumed, replayed=replayed, unread=position.total)
            _write_last(stream, event)
            told = replayed == 0
        else:
            told = False
        if reason is not None:
            stream.at(position.modseq, position.broadcast_modseq)
            _write_last(stream, frames.reset(reason, position.total))
        elif not told and _replay(stream, changed):
            stream.at(position.modseq, position.broadcast_modseq)
            _write_last(stream, frames.count(position.total))
        if stream.phase is Phase.READING:
            self._hub.join(stream)


def _replayable(at: tuple[int, int], position: Position) -> bool:
    """Whether there is something after this position, and it can be told."""
    return at != (position.modseq, position.broadcast_modseq) and _out_of_range(at, position) is None


def _out_of_range(at: tuple[int, int], position: Position) -> Reason | None:
    """Why nothing can be replayed from here. Number 0 is an empty inbox: nothing removed since can be missed there."""
    inbox_number, broadcast_number = at
    if inbox_number > position.modseq or broadcast_number > position.broadcast_modseq:
        return "position ahead of the server"
    if 0 < inbox_number < position.floor or 0 < broadcast_number < position.broadcast_floor:
        return "position too old"
    return None


def _refusal(wanted: Wanted, position: Position, changed: Changes) -> Reason | None:
    if wanted.unknown:
        return "unknown position"
    if wanted.at is None:
        return None
    return _out_of_range(wanted.at, position) or (None if changed.complete else "too much was missed")


def _replay(stream: Stream, changed: Changes) -> bool:
    """Write what was missed, number by number. False if the client does not keep up: it goes on from there later.

    The last event of each number carries the id, but for the very last: that is the count, which follows.
    """
    frame = b""
    groups = [(True, *group) for group in _by_number(changed.inbox)]
    groups += [(False, *group) for group in _by_number(changed.broadcasts)]
    for left, (of_inbox, number, events) in zip(range(len(groups) - 1, -1, -1), groups, strict=True):
        stream.at(*((number, stream.broadcasts) if of_inbox else (stream.inbox, number)))
        dialect = stream.dialect
        frame += dialect.numbered(events, stream.inbox, stream.broadcasts) if left else dialect.plain(events)
        if len(frame) >= CHUNK or not left:
            stream.write(frame)
            frame = b""
            if stream.phase is not Phase.READING:
                return False
    return True


def _write_last(stream: Stream, event: Event) -> None:
    """Write the event that completes the position the stream is at."""
    stream.write(stream.dialect.numbered([event], stream.inbox, stream.broadcasts))


def _by_number(changes: Sequence[ItemChange | MarkChange]) -> list[tuple[int, list[Event]]]:
    """The events of each change number."""
    return [(number, _events(list(group))) for number, group in groupby(changes, key=lambda change: change.modseq)]


def _events(group: list[ItemChange | MarkChange]) -> list[Event]:
    """The events of one change number: items as they are now, marks of one kind together."""
    events = [frames.notification(change.item) for change in group if isinstance(change, ItemChange)]
    marks = sorted((change for change in group if isinstance(change, MarkChange)), key=lambda mark: mark.state)
    for name, same in groupby(marks, key=lambda mark: mark.state):
        events.append(frames.state(name, [mark.id for mark in same]))
    return events
