"""Pages of the inbox, kept in Redis under keys that name the position they were read at.

A reader asks PostgreSQL where the inbox stands and then for the page of that position, so no page is ever older than
the reader's own last write, nothing needs to be deleted, and without Redis it is only slower. What changes without a
number - the status of the e-mail - is read anew.
"""

import asyncio
import base64
from datetime import UTC
from hashlib import blake2b
from typing import Annotated

import msgspec
import structlog
from msgspec import Meta
from redis.asyncio import Redis
from redis.exceptions import RedisError

from belfry.errors import BadInput, FieldError
from belfry.redis_access import connect_redis
from belfry.undecodable import UNDECODABLE
from db import Database, Tx
from db.queries import inbox, notifications
from db.queries.inbox import Key, Kind, Position, State
from db.queries.notifications import Item

log = structlog.get_logger()

KEEP_SECONDS = 300
DEADLINE = 0.1  # seconds; past it PostgreSQL is faster
PAUSE_AFTER_FAILURE = 2.0  # seconds without the cache, so that a frozen Redis costs one request the deadline, not all


def connect_pages(url: str) -> Redis:
    """Prepare a client for the Redis that keeps pages; nothing is opened until it is used."""
    return connect_redis(url, seconds=DEADLINE)


class Query(msgspec.Struct, frozen=True, array_like=True):
    """Which page: of what, after which item or how far down, how many; with which words in the titles."""

    kind: Kind
    state: State
    after: Key | None
    offset: int
    limit: int
    words: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Some of the inbox as it was at a position: a stream opened from there tells all that came since."""

    items: list[Item]
    unread: int
    next_cursor: str | None
    position: Annotated[str, Meta(description="The `Last-Event-ID` for a stream that goes on from this page")]


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What Redis holds of a page."""

    items: list[Item]
    next_cursor: str | None


_decoder = msgspec.msgpack.Decoder(Kept)


class PageCache:
    """Redis as a place for pages: every failure is a miss."""

    def __init__(self, redis: Redis, *, enabled: bool) -> None:
        self._redis = redis
        self._away_until = 0.0 if enabled else float("inf")

    async def get(self, key: str) -> Kept | None:
        data = await self._ask(self._redis.get(key))
        try:
            return _decoder.decode(data) if isinstance(data, bytes) else None
        except UNDECODABLE:
            return None

    async def put(self, key: str, page: Kept) -> None:
        await self._ask(self._redis.set(key, msgspec.msgpack.encode(page), ex=KEEP_SECONDS))

    @property
    def away(self) -> bool:
        return asyncio.get_running_loop().time() < self._away_until

    async def _ask(self, command: object) -> object:
        try:
            async with asyncio.timeout(DEADLINE):
                return await command  # type: ignore[misc]
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = asyncio.get_running_loop().time() + PAUSE_AFTER_FAILURE
            log.warning("page cache away; reading from the database", error=type(error).__name__)
            return None


async def read(db: Database, cache: PageCache, user_id: int, query: Query) -> Page:
    """A page of the inbox as of now."""
    async with db.statement() as tx:
        position = await inbox.position(tx, user_id)
    key = _key(position, query)
    if not cache.away and (kept := await cache.get(key)) is not None:
        return Page(await _with_status(db, kept.items), position.total, kept.next_cursor, position.name)
    async with db.snapshot() as tx:
        position = await inbox.position(tx, user_id)
        shown, end = await _look(tx, user_id, query)
    page = Kept([item for _, item in shown], cursor(end) if end else None)
    if not cache.away:
        await cache.put(_key(position, query), page)
    return Page(page.items, position.total, page.next_cursor, position.name)


async def _look(tx: Tx, user_id: int, query: Query) -> tuple[list[tuple[Key, Item]], Key | None]:
    """The items of a page, and where the next one begins."""
    kind, state, after, limit = query.kind, query.state, query.after, query.limit
    if query.words is not None:
        return await inbox.search(tx, user_id, query.words, kind=kind, state=state, after=after, limit=limit)
    rows = await inbox.page(tx, user_id, kind=kind, state=state, after=after, offset=query.offset, limit=limit + 1)
    shown = rows[:limit]
    return shown, shown[-1][0] if len(rows) > limit else None


async def _with_status(db: Database, items: list[Item]) -> list[Item]:
    if not items:
        return items
    async with db.statement() as tx:
        now = await notifications.statuses(tx, [item.id for item in items])
    return [
        msgspec.structs.replace(item, status=now[item.id][0], updated_at=now[item.id][1]) if item.id in now else item
        for item in items
    ]


def _key(position: Position, query: Query) -> str:
    asked = blake2b(msgspec.msgpack.encode(query), digest_size=12).hexdigest()
    return f"belfry:page:{position.user_id}:{position.name}:{asked}"


def cursor(key: Key) -> str:
    """An item's place in the list as clients hold it: opaque, and safe in a URL."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(key)).rstrip(b"=").decode()


def place(cursor: str) -> Key:
    """Raises `BadInput` for what is not one of our cursors."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = msgspec.msgpack.decode(data, type=Key)
        if not 0 < key.id < 2**63 or key.at.tzinfo is None:
            raise ValueError
        return Key(key.at.astimezone(UTC), key.id)
    except (*UNDECODABLE, ValueError, OverflowError):
        raise BadInput(FieldError("cursor", "expected the `next_cursor` of an earlier page")) from None
