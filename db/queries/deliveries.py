"""The send queue as PostgreSQL sees it: claim, hand over, settle, and take back what a dead worker held.

A claim is a lease: a token and an end. Only the holder of the token may change the delivery, with one exception:
whoever saw the server accept the mail may say so whatever became of the lease, because it is true.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import DeliveryStatus, MailKind

__all__ = [
    "Letter",
    "Outcome",
    "Result",
    "claim",
    "hand_over",
    "return_expired",
    "settle",
    "something_due",
]


class Letter(msgspec.Struct, frozen=True):
    """A claimed delivery and all that is needed to send it.

    `unwanted` says what it becomes instead of being sent, and `suppression` why, if its address is suppressed.
    `listed`: it is in the recipient's inbox too. A mail about an account has a `kind` and no notification; if it has a
    link, also what its token is made of. Its recipient may have no account.
    """

    id: int
    lease_token: UUID
    attempt: int
    unwanted: Literal["cancelled", "expired", "void", "disabled", "unverified", "suppressed"] | None
    suppression: str | None
    installation: UUID
    notification_id: int | None
    broadcast: bool
    listed: bool
    user_id: int | None
    email: str
    display_name: str
    language: str
    time_zone: str
    title: str
    content: str
    link: str | None
    priority: int
    tags: list[str]
    sender: str | None
    created_at: datetime
    kind: MailKind | None = None
    seed: bytes | None = None
    token_hash: bytes | None = None
    expires_at: datetime | None = None


class Result(StrEnum):
    """What came of one try, and so where the delivery goes next."""

    SENT = "sent"
    DELAYED = "delayed"  # the server says later: pending, due after `delay`
    REFUSED = "refused"  # the server says never, or it was the last try: failed
    UNCERTAIN = "uncertain"  # the reply to the final dot was lost, and it is not to be tried again
    RELAY_DOWN = "relay down"  # our relay's fault: pending as it was, the attempt given back
    UNTRIED = "untried"  # the same, and the relay was not even asked: no line in the ledger
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"


STATUS_AFTER = {
    Result.SENT: DeliveryStatus.SENT,
    Result.DELAYED: DeliveryStatus.PENDING,
    Result.REFUSED: DeliveryStatus.FAILED,
    Result.UNCERTAIN: DeliveryStatus.UNCERTAIN,
    Result.RELAY_DOWN: DeliveryStatus.PENDING,
    Result.UNTRIED: DeliveryStatus.PENDING,
    Result.EXPIRED: DeliveryStatus.EXPIRED,
    Result.CANCELLED: DeliveryStatus.CANCELLED,
    Result.SUPPRESSED: DeliveryStatus.SUPPRESSED,
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`bounced` is the address, if the server said that there is no such mailbox: it gets no more mail."""

    id: int
    lease_token: UUID
    result: Result
    worker: str
    started_at: datetime
    ended_at: datetime
    broadcast_id: int | None = None
    delay: float = 0.0
    code: int | None = None
    text: str | None = None
    reason: str | None = None
    bounced: str | None = None


CLAIM = text("""
WITH due AS (
    SELECT id FROM deliveries
    WHERE status = 'pending' AND due_at <= now()
    ORDER BY lane, due_at
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE deliveries d
    SET status = 'processing',
        lease_token = gen_random_uuid(),
        leased_until = now() + make_interval(secs => :lease_seconds),
        worker = :worker,
        attempts = d.attempts + 1,
        handed_over_at = NULL
    FROM due WHERE d.id = due.id AND d.status = 'pending'
    RETURNING d.id, d.lease_token, d.attempts, d.lane, d.due_at, d.notification_id, d.security_mail_id, d.user_id
), marked AS (
    UPDATE notifications n
    SET status = 'processing', updated_at = now()
    FROM claimed WHERE n.id = claimed.notification_id AND n.user_id IS NOT NULL AND n.status = 'pending'
)
SELECT c.id, c.lease_token, c.attempts,
       CASE WHEN n.status = 'cancelled' THEN 'cancelled'
            WHEN n.expires_at <= now() THEN 'expired'
            WHEN m.expires_at <= now() OR m.ended_at IS NOT NULL THEN 'void'
            WHEN u.disabled_at IS NOT NULL THEN 'disabled'
            WHEN :verified AND n.id IS NOT NULL AND u.email_verified_at IS NULL THEN 'unverified'
            WHEN suppression.why IS NOT NULL THEN 'suppressed' END AS unwanted,
       suppression.why, (SELECT key FROM installation),
       n.id, n.id IS NOT NULL AND n.user_id IS NULL AS broadcast, n.modseq IS NOT NULL AS listed, u.id,
       coalesce(m.email, u.email), coalesce(u.display_name, ''), coalesce(m.language, u.language),
       coalesce(u.time_zone, 'UTC'),
       coalesce(n.title, ''), coalesce(n.content, ''), n.link, coalesce(n.priority, 3), coalesce(n.tags, '{}'),
       s.display_name AS sender, coalesce(n.created_at, m.created_at), m.kind, m.seed, m.token_hash, m.expires_at
FROM claimed c
LEFT JOIN notifications n ON n.id = c.notification_id
LEFT JOIN security_mails m ON m.id = c.security_mail_id
LEFT JOIN pending_accounts p ON p.mail_id = m.id
LEFT JOIN users u ON u.id = c.user_id
LEFT JOIN users s ON s.id = coalesce(n.sender_id, p.invited_by)
LEFT JOIN LATERAL (
    SELECT CASE reason WHEN 'bounced' THEN 'there is no such mailbox: ' || detail
                       WHEN 'unsubscribed' THEN 'the recipient has unsubscribed'
                       ELSE 'an administrator suppressed the address' END AS why
    FROM suppressions
    WHERE lower(address) = lower(coalesce(m.email, u.email)) AND (scope = 'all' OR c.lane = 2)
    ORDER BY scope LIMIT 1
) suppression ON true
ORDER BY c.lane, c.due_at, c.id
""")

# One look at the user, and for a notification's mail one into the index of the suppressions, for each row that is ours:
# a subquery with a value keeps them from becoming joins with all users, and naming `mine` from being done for whatever
# else is being sent. A security mail need not go to its user's address; its own was looked at when it was claimed.
HAND_OVER = text("""
UPDATE deliveries d
SET handed_over_at = now(),
    leased_until = greatest(d.leased_until, now() + make_interval(secs => :seconds))
FROM unnest(CAST(:ids AS bigint[]), CAST(:tokens AS uuid[])) AS mine(id, token)
WHERE d.id = mine.id AND d.lease_token = mine.token AND d.status = 'processing' AND d.leased_until > now()
  AND NOT EXISTS (
      SELECT FROM notifications n WHERE n.id = d.notification_id AND (n.status = 'cancelled' OR n.expires_at <= now())
  )
  AND NOT EXISTS (
      SELECT FROM security_mails m
      WHERE m.id = d.security_mail_id AND (m.ended_at IS NOT NULL OR m.expires_at <= now())
  )
  AND NOT coalesce((
      SELECT u.disabled_at IS NOT NULL OR d.notification_id IS NOT NULL AND EXISTS (
          SELECT FROM suppressions s WHERE lower(s.address) = lower(u.email) AND (s.scope = 'all' OR d.lane = 2)
      )
      FROM users u WHERE u.id = d.user_id AND mine.id = d.id
  ), false)
RETURNING d.id
""")

# Notifications are locked in the order of their ids: a reader who marks many of the same rows would deadlock otherwise.
SETTLE = text("""
WITH outcome AS (
    SELECT * FROM unnest(
        CAST(:ids AS bigint[]), CAST(:tokens AS uuid[]), CAST(:results AS text[]), CAST(:statuses AS text[]),
        CAST(:delays AS float8[]), CAST(:codes AS int[]), CAST(:texts AS text[]), CAST(:reasons AS text[]),
        CAST(:workers AS text[]), CAST(:started AS timestamptz[]), CAST(:ended AS timestamptz[]),
        CAST(:bounced AS text[])
    ) AS o(id, token, result, status, delay, code, text, reason, worker, started_at, ended_at, bounced)
), settled AS (
    UPDATE deliveries d
    SET status = o.status,
        attempts = d.attempts - CASE WHEN o.result IN ('relay down', 'untried') THEN 1 ELSE 0 END,
        due_at = CASE WHEN o.result = 'delayed' THEN now() + make_interval(secs => o.delay) ELSE d.due_at END,
        reason = o.reason,
        last_error = CASE WHEN o.result = 'sent' THEN NULL ELSE coalesce(o.text, d.last_error) END,
        smtp_code = coalesce(o.code, d.smtp_code),
        sent_at = CASE WHEN o.result = 'sent' THEN o.ended_at END,
        lease_token = NULL,
        leased_until = NULL
    FROM outcome o
    WHERE d.id = o.id AND (
        d.status = 'processing' AND d.lease_token = o.token
        OR o.result = 'sent' AND d.status <> 'sent'
    )
    RETURNING d.id, d.notification_id, d.status
), tried AS (
    INSERT INTO delivery_attempts (delivery_id, worker, started_at, ended_at, outcome, code, text)
    SELECT o.id, o.worker, o.started_at, o.ended_at, o.result, o.code, o.text
    FROM outcome o JOIN deliveries d ON d.id = o.id
    WHERE o.result <> 'untried'
), bounced AS (
    INSERT INTO suppressions (address, scope, reason, detail)
    SELECT o.bounced, 'all', 'bounced', concat_ws(' ', o.code, o.text)
    FROM outcome o JOIN settled USING (id)
    WHERE o.bounced IS NOT NULL
    ORDER BY lower(o.bounced)
    ON CONFLICT (lower(address), scope) DO NOTHING
), personal AS (
    SELECT n.id, s.status FROM notifications n JOIN settled s ON s.notification_id = n.id
    WHERE n.user_id IS NOT NULL AND n.status <> s.status
    ORDER BY n.id FOR NO KEY UPDATE OF n
), marked AS (
    UPDATE notifications n SET status = p.status, updated_at = now() FROM personal p WHERE n.id = p.id
)
SELECT id FROM settled
""")

RETURN_EXPIRED = text("""
WITH lost AS (
    SELECT id, handed_over_at, leased_until, worker,
           CASE WHEN handed_over_at IS NOT NULL AND (:hold OR attempts >= :attempts) THEN 'uncertain'
                WHEN attempts >= :attempts THEN 'failed'
                ELSE 'pending' END AS status
    FROM deliveries
    WHERE status = 'processing' AND leased_until <= now()
    ORDER BY leased_until
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
), returned AS (
    UPDATE deliveries d
    SET status = lost.status,
        due_at = now(),
        reason = CASE WHEN lost.status <> 'pending' THEN 'the worker sending it was lost' END,
        lease_token = NULL,
        leased_until = NULL
    FROM lost WHERE d.id = lost.id AND d.status = 'processing'
    RETURNING d.id, d.notification_id, d.status
), tried AS (
    INSERT INTO delivery_attempts (delivery_id, worker, started_at, outcome)
    SELECT id, coalesce(worker, ''),
           coalesce(handed_over_at, leased_until - make_interval(secs => :lease_seconds)), 'lost' FROM lost
), personal AS (
    SELECT n.id, r.status FROM notifications n JOIN returned r ON r.notification_id = n.id
    WHERE n.user_id IS NOT NULL AND n.status <> r.status
    ORDER BY n.id FOR NO KEY UPDATE OF n
), marked AS (
    UPDATE notifications n SET status = p.status, updated_at = now() FROM personal p WHERE n.id = p.id
)
SELECT count(*) FROM returned
""")

SOMETHING_DUE = text("SELECT EXISTS (SELECT FROM deliveries WHERE status = 'pending' AND due_at <= now())")


async def claim(tx: Tx, *, limit: int, lease_seconds: float, worker: str, verified: bool = False) -> list[Letter]:
    """Take what is due, the most urgent lane first, under a lease by the database's clock.

    `verified`: only addresses that are known to be their users' are wanted.
    """
    values = {"limit": limit, "lease_seconds": lease_seconds, "worker": worker, "verified": verified}
    rows = await tx.execute(CLAIM, values)
    return [Letter(*row) for row in rows]


async def hand_over(tx: Tx, held: Sequence[tuple[int, UUID]], *, seconds: float) -> set[int]:
    """Stamp deliveries as about to be given to the server, and hold them at least `seconds` more.

    Returns the ids to send. The others may be with another worker by now, and sending them would make a copy; or they
    were cancelled, have expired, or their user was disabled or address suppressed since they were claimed.
    """
    ids, tokens = [delivery for delivery, _ in held], [token for _, token in held]
    return set(await tx.scalars(HAND_OVER, {"ids": ids, "tokens": tokens, "seconds": seconds}))


async def settle(tx: Tx, outcomes: list[Outcome]) -> set[int]:
    """Record what came of letters. Returns those it changed; the lease of the others had passed on.

    At most one outcome a delivery.
    """
    if not outcomes:
        return set()
    return set(
        await tx.scalars(
            SETTLE,
            {
                "ids": [o.id for o in outcomes],
                "tokens": [o.lease_token for o in outcomes],
                "results": [o.result.value for o in outcomes],
                "statuses": [STATUS_AFTER[o.result].value for o in outcomes],
                "delays": [o.delay for o in outcomes],
                "codes": [o.code for o in outcomes],
                "texts": [o.text for o in outcomes],
                "reasons": [o.reason for o in outcomes],
                "workers": [o.worker for o in outcomes],
                "started": [o.started_at for o in outcomes],
                "ended": [o.ended_at for o in outcomes],
                "bounced": [o.bounced for o in outcomes],
            },
        )
    )


async def return_expired(
    tx: Tx, uncertain: Literal["resend", "hold"], *, attempts: int, lease_seconds: float, limit: int = 1000
) -> int:
    """Take back deliveries whose worker has not been heard of within its lease. Returns how many."""
    given = {"hold": uncertain == "hold", "attempts": attempts, "lease_seconds": lease_seconds, "limit": limit}
    return await tx.scalar(RETURN_EXPIRED, given) or 0


async def something_due(tx: Tx) -> bool:
    return bool(await tx.scalar(SOMETHING_DUE))
