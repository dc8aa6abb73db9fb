"""Mails about accounts, and the links in them: written into the queue, looked at, used once, made void."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import MailKind, Role
from db.queries.batches import delete_some, some

__all__ = ["Link", "Opened", "add", "end", "forget", "look", "use"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link that is still good, as whoever holds its token may see it."""

    kind: MailKind
    user_id: int | None
    email: str
    expires_at: datetime
    role: Role | None
    invited_by: str | None
    password_hash: str | None
    """Of its user, or of who registered."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was just used. What is pending is an account that is to be made now."""

    id: int
    kind: MailKind
    user_id: int | None
    email: str
    language: str
    role: Role | None
    password_hash: str | None
    display_name: str | None
    time_zone: str | None
    invited_by: int | None


ADD = text("""
    WITH mail AS (
        INSERT INTO security_mails (kind, user_id, email, language, seed, token_hash, expires_at)
        VALUES (:kind, :user_id, :email, :language, :seed, :token_hash,
                now() + make_interval(secs => CAST(:seconds AS float8)))
        RETURNING id, user_id
    )
    INSERT INTO deliveries (security_mail_id, user_id, lane, status) SELECT id, user_id, 0, 'pending' FROM mail
    RETURNING security_mail_id
""")

# An invitation is as good as who made it: not that of somebody who is no admin any more.
GOOD = """
    m.token_hash = :token_hash AND m.kind = ANY(:kinds) AND m.ended_at IS NULL AND m.expires_at > now()
    AND (m.user_id IS NULL OR EXISTS (SELECT FROM users u WHERE u.id = m.user_id AND u.disabled_at IS NULL))
    AND NOT EXISTS (
        SELECT FROM pending_accounts p JOIN users i ON i.id = p.invited_by
        WHERE p.mail_id = m.id AND (i.disabled_at IS NOT NULL OR i.role <> 'admin')
    )
"""
LOOK = text(f"""
    SELECT m.kind, m.user_id, m.email, m.expires_at, coalesce(p.password_hash, o.password_hash) AS password_hash,
        p.role, coalesce(nullif(i.display_name, ''), i.email) AS invited_by
    FROM security_mails m LEFT JOIN users o ON o.id = m.user_id
    LEFT JOIN pending_accounts p ON p.mail_id = m.id LEFT JOIN users i ON i.id = p.invited_by
    WHERE {GOOD}
""")  # noqa: S608
# Of two at once the second waits for the first, and then finds it used.
USE = text(f"""
    WITH used AS (
        UPDATE security_mails m SET ended_at = now() WHERE {GOOD} RETURNING id, kind, user_id, email, language
    )
    SELECT used.*, p.role, p.password_hash, p.display_name, p.time_zone, p.invited_by
    FROM used LEFT JOIN pending_accounts p ON p.mail_id = used.id
""")  # noqa: S608
END = text("""
    UPDATE security_mails SET ended_at = now()
    WHERE user_id = :user_id AND expires_at IS NOT NULL AND ended_at IS NULL AND kind = ANY(:kinds)
""")
# Accounts that never came to be are not kept; what was written to users is, as long as other mail.
FORGET = some(
    "security_mails",
    """
    (created_at < now() - make_interval(days => :days) OR user_id IS NULL AND expires_at < now())
    AND NOT EXISTS (SELECT FROM deliveries d WHERE d.security_mail_id = old.id AND d.status = 'processing')
    """,
)


async def add(
    tx: Tx,
    kind: MailKind,
    *,
    email: str,
    language: str,
    user_id: int | None,
    seed: bytes | None,
    token_hash: bytes | None,
    seconds: int | None,
) -> int:
    """Put a mail into the queue, before all others. With a link it has a seed, a hash, and `seconds` to be used."""
    values = {
        "kind": kind.value,
        "email": email,
        "language": language,
        "user_id": user_id,
        "seed": seed,
        "token_hash": token_hash,
        "seconds": seconds,
    }
    return int(await tx.scalar(ADD, values))


async def look(tx: Tx, token_hash: bytes, kinds: Collection[MailKind]) -> Link | None:
    """The link with this token, if it is still good, and for one of these purposes."""
    row = (await tx.execute(LOOK, _named(token_hash, kinds))).mappings().first()
    return msgspec.convert(dict(row), Link) if row else None


async def use(tx: Tx, token_hash: bytes, kinds: Collection[MailKind]) -> Opened | None:
    """Use a link up, if it is still good, and for one of these purposes."""
    row = (await tx.execute(USE, _named(token_hash, kinds))).mappings().first()
    return msgspec.convert(dict(row), Opened) if row else None


async def end(tx: Tx, user_id: int, kinds: Collection[MailKind]) -> None:
    """Make a user's links of these kinds void. What of them has not been sent is not sent any more."""
    await tx.execute(END, {"user_id": user_id, "kinds": [kind.value for kind in kinds]})


async def forget(tx: Tx, *, days: int) -> bool:
    """Drop some of what is older than `days`, and sooner what was about an account that has not been made.

    Whether there may be more.
    """
    return await delete_some(tx, FORGET, days=days)


def _named(token_hash: bytes, kinds: Collection[MailKind]) -> dict[str, object]:
    return {"token_hash": token_hash, "kinds": [kind.value for kind in kinds]}
