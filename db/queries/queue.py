"""How long the queue is, at a cost that does not grow with it."""

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import DeliveryStatus

__all__ = ["Length", "length"]

PAGES = 1_000  # of 8 KiB, some 50,000 deliveries: so much of the table is read at most
COUNTED = 10_000  # up to about here what is still to do is counted exactly, whatever the size of the table

# A sample of whole pages; 100 percent is the table itself.
SAMPLE = text("SELECT status, count(*) AS number FROM deliveries TABLESAMPLE SYSTEM (:percent) GROUP BY status")
SIZE = text("SELECT pg_relation_size('deliveries') / current_setting('block_size')::int")
# The order is that of the partial index, so that it is used.
PENDING = text("""
    SELECT count(*) FROM (
        SELECT FROM deliveries WHERE status = 'pending' ORDER BY lane, due_at LIMIT :limit
    ) AS open
""")
PROCESSING = text("""
    SELECT count(*) FROM (
        SELECT FROM deliveries WHERE status = 'processing' ORDER BY leased_until LIMIT :limit
    ) AS open
""")
# One look into the index a lane.
OLDEST = text("""
    SELECT extract(epoch FROM now() - min(oldest.due_at))::float8
    FROM generate_series(0, 2) AS lanes(lane) CROSS JOIN LATERAL (
        SELECT due_at FROM deliveries d
        WHERE d.status = 'pending' AND d.lane = lanes.lane AND d.due_at <= now()
        ORDER BY due_at LIMIT 1
    ) oldest
""")


class Length(msgspec.Struct, frozen=True):
    """Deliveries by state, those of `estimated` to within some percent; `oldest_due` is in seconds."""

    counts: dict[DeliveryStatus, int]
    estimated: list[DeliveryStatus]
    oldest_due: float | None


async def length(tx: Tx, *, pages: int = PAGES) -> Length:
    """Count a table of up to `pages`. Of a larger one sample as much, and count what is still to do if it is little."""
    share = min(1.0, pages / max(1, await tx.scalar(SIZE) or 0))
    sampled = {row.status: row.number for row in await tx.execute(SAMPLE, {"percent": 100 * share})}
    counts = {status: round(sampled.get(status, 0) / share) for status in DeliveryStatus}
    estimated = [] if share == 1.0 else list(DeliveryStatus)
    for status, statement in ((DeliveryStatus.PENDING, PENDING), (DeliveryStatus.PROCESSING, PROCESSING)):
        if status in estimated and counts[status] <= COUNTED:
            counted = await tx.scalar(statement, {"limit": 2 * COUNTED}) or 0
            if counted < 2 * COUNTED:
                counts[status] = counted
                estimated.remove(status)
    return Length(counts, estimated, await tx.scalar(OLDEST))
