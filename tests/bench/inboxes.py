"""A big table of notifications, in which inboxes of three sizes lie scattered among thousands of others."""

import msgspec
from rich.progress import Progress
from sqlalchemy import text

from db import Database

DAYS = 80
BROADCASTS = 50
READ = 0.7  # the older part of every inbox: in the biggest, the newest read one has 300,000 unread ones above it


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The table is made of equal blocks: `large` and `medium` rows of two inboxes in each, and one of every other."""

    blocks: int = 100
    block: int = 20_000
    medium: int = 100
    large: int = 10_000

    @property
    def others(self) -> int:
        return self.block - self.large - self.medium

    @property
    def sizes(self) -> tuple[int, int, int]:
        return self.blocks, self.medium * self.blocks, self.large * self.blocks


# One block. `place` deals its rows to the inboxes as a shuffle does: 7,919 is a prime.
FILL = text(f"""
    WITH layout AS (
        SELECT CAST(:block AS bigint) AS block, CAST(:at AS bigint) AS at,
               CAST(:medium AS bigint) AS medium, CAST(:large AS bigint) AS large,
               now() - interval '{DAYS} days' AS start,
               interval '{DAYS} days' / (CAST(:blocks AS bigint) * :block) AS step
    ), place AS (
        SELECT layout.*, n, n * 7919 % block AS place FROM layout, generate_series(0, block - 1) n
    ), dealt AS (
        SELECT n, at, start + (at * block + n) * step AS moment,
               CASE WHEN place < large THEN large WHEN place < large + medium THEN medium ELSE 1 END AS each,
               CASE WHEN place < large THEN 1 WHEN place < large + medium THEN 2
                    ELSE 3 + place - large - medium END AS owner
        FROM place
    )
    INSERT INTO notifications (user_id, modseq, title, content, channels, visible_at, created_at, updated_at, read_at)
    SELECT user_id, at * each + row_number() OVER (PARTITION BY owner ORDER BY n), 'Build ' || n || ' passed',
           repeat('All 412 tests are green. ', 4), '{{inbox}}', moment, moment, moment, CASE WHEN :read THEN moment END
    FROM dealt JOIN unnest(CAST(:users AS bigint[])) WITH ORDINALITY AS u (user_id, owner) USING (owner) ORDER BY n
""")  # noqa: S608
COUNT = text("""
    UPDATE inboxes i SET modseq = n.modseq, unread = n.unread
    FROM (SELECT user_id, max(modseq) AS modseq, count(*) FILTER (WHERE read_at IS NULL) AS unread
          FROM notifications WHERE user_id IS NOT NULL GROUP BY user_id) n
    WHERE n.user_id = i.user_id
""")
BROADCAST = text("""
    WITH clock AS (
        UPDATE broadcast_clock SET modseq = modseq + :count RETURNING modseq
    )
    INSERT INTO notifications (modseq, title, channels, visible_at)
    SELECT modseq - n, 'Maintenance tonight', '{inbox}', now() - n * interval '1 day'
    FROM clock, generate_series(0, :count - 1) n
""")
RECEIVE = text("""
    WITH box AS (
        UPDATE inboxes SET modseq = modseq + 1 WHERE user_id = ANY(:users) RETURNING user_id, modseq
    )
    INSERT INTO broadcast_receipts (user_id, notification_id, state, modseq, read_at)
    SELECT box.user_id, n.id, 'read', box.modseq, now() FROM box, notifications n
    WHERE n.user_id IS NULL AND n.modseq % 5 = 0
""")


async def fill(db: Database, layout: Layout, users: list[int], progress: Progress) -> None:
    """Fill the table. `users` are the owners: of the large inbox, of the medium one, and of all the others."""
    assert len(users) == 2 + layout.others
    task = progress.add_task(
        f"inbox: filling in {layout.blocks * layout.block:,} notifications", total=layout.blocks + 1
    )
    values = {"blocks": layout.blocks, "block": layout.block, "medium": layout.medium, "large": layout.large}
    for at in range(layout.blocks):
        async with db.begin() as tx:
            await tx.execute(FILL, {**values, "at": at, "users": users, "read": at < layout.blocks * READ})
        progress.advance(task)
    async with db.begin() as tx:
        await tx.execute(COUNT)
        await tx.execute(BROADCAST, {"count": BROADCASTS})
        await tx.execute(RECEIVE, {"users": users[:3]})
    async with db.statement() as tx:
        await tx.execute(text("VACUUM (ANALYZE) notifications, inboxes, broadcast_receipts"))
    progress.advance(task)
