"""What the inboxes were at each of their numbers, kept by triggers: the database's own word on every badge."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

from sqlalchemy import text

from db import Database, Tx
from tests.realtime.client import Id

KEEP = [
    "CREATE TABLE h_inboxes (user_id bigint, modseq bigint, unread bigint, PRIMARY KEY (user_id, modseq))",
    "CREATE TABLE h_receipts (user_id bigint, notification_id bigint, modseq bigint, state text)",
    """
    CREATE FUNCTION h_inbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO h_inboxes VALUES (NEW.user_id, NEW.modseq, NEW.unread); RETURN NULL; END $$
    """,
    """
    CREATE FUNCTION h_receipt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO h_receipts VALUES (NEW.user_id, NEW.notification_id, NEW.modseq, NEW.state); RETURN NULL; END $$
    """,
    "CREATE TRIGGER h_inbox AFTER INSERT OR UPDATE ON inboxes FOR EACH ROW EXECUTE FUNCTION h_inbox()",
    "CREATE TRIGGER h_receipt AFTER INSERT OR UPDATE ON broadcast_receipts FOR EACH ROW EXECUTE FUNCTION h_receipt()",
]
FORGET = ["DROP FUNCTION h_inbox CASCADE", "DROP FUNCTION h_receipt CASCADE", "DROP TABLE h_inboxes, h_receipts"]

DONE = ("read", "hidden")

SOUND = text("""
    SELECT i.user_id, i.unread, i.modseq,
           (SELECT count(*) FROM notifications n WHERE n.user_id = i.user_id AND n.modseq IS NOT NULL
                   AND n.deleted_at IS NULL AND n.read_at IS NULL) AS rows_unread,
           (SELECT max(modseq) FROM notifications n WHERE n.user_id = i.user_id) AS newest
    FROM inboxes i
""")


@asynccontextmanager
async def kept(db: Database) -> AsyncIterator[None]:
    async with db.begin() as tx:
        for statement in KEEP:
            await tx.execute(text(statement))
    try:
        yield
    finally:
        async with db.begin() as tx:
            for statement in FORGET:
                await tx.execute(text(statement))


async def check_counters(db: Database) -> None:
    """Counters equal the rows they count, and no number was skipped."""
    async with db.snapshot() as tx:
        for row in await tx.execute(SOUND):
            assert row.unread == row.rows_unread, f"user {row.user_id}"
            assert row.newest is None or row.newest <= row.modseq, f"user {row.user_id}"
        numbers = defaultdict(list)
        for row in await tx.execute(text("SELECT user_id, modseq FROM h_inboxes ORDER BY user_id, modseq")):
            numbers[row.user_id].append(row.modseq)
        broadcasts = (await tx.scalars(text("SELECT modseq FROM notifications WHERE user_id IS NULL ORDER BY 1"))).all()
        clock = await tx.scalar(text("SELECT modseq FROM broadcast_clock"))
    for user_id, of_user in numbers.items():
        assert of_user == list(range(len(of_user))), f"user {user_id}"
    assert list(broadcasts) == list(range(1, clock + 1))


class Truth:
    """What the database held for one user at each position."""

    def __init__(self, *, start: int, unread: dict[int, int], receipts: list[tuple[int, int, str]]) -> None:
        """`unread` by inbox number; `receipts` as (number, notification, state), in order; broadcasts from `start`."""
        self._start = start
        self._unread = dict(unread)
        # What was scheduled and arrives together takes numbers that no row of the inbox ever had.
        for before, after in pairwise(sorted(unread)):
            if unread[after] - unread[before] == after - before:
                self._unread |= {before + more: unread[before] + more for more in range(1, after - before)}
        self._numbers, self._done = [0], [0]
        states: dict[int, str] = {}
        for number, notification, state in receipts:
            change = (state in DONE) - (states.get(notification) in DONE)
            states[notification] = state
            self._numbers.append(number)
            self._done.append(self._done[-1] + change)

    def badge(self, at: Id) -> int | None:
        """None if the inbox never was at that number."""
        inbox, broadcasts = at
        if inbox not in self._unread:
            return None
        done = self._done[bisect_right(self._numbers, inbox) - 1]
        return self._unread[inbox] + max(broadcasts - self._start, 0) - done


async def truth(tx: Tx, user_id: int) -> Truth:
    user = {"user": user_id}
    start = await tx.scalar(text("SELECT broadcasts_from FROM inboxes WHERE user_id = :user"), user)
    unread = await tx.execute(text("SELECT modseq, unread FROM h_inboxes WHERE user_id = :user"), user)
    receipts = await tx.execute(
        text("SELECT modseq, notification_id, state FROM h_receipts WHERE user_id = :user ORDER BY modseq"), user
    )
    return Truth(
        start=start or 0,
        unread={row.modseq: row.unread for row in unread},
        receipts=[(row.modseq, row.notification_id, row.state) for row in receipts],
    )


async def check_badges(db: Database, user_id: int, badges: dict[Id, int]) -> None:
    """Each badge a stream showed is what the database held at that position."""
    async with db.snapshot() as tx:
        held = await truth(tx, user_id)
    for at, badge in badges.items():
        assert badge == held.badge(at), f"user {user_id} at {at}"
