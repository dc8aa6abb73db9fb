"""Accounts that are to be: what somebody registered with or was invited to, until the link is used."""

from datetime import datetime

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import DeliveryStatus, Role
from db.queries.notifications import Sender

__all__ = ["Invitation", "one", "page", "pend", "revoke", "revoke_earlier"]


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """`invited_by` is null for the command line. `mail` is where its mail stands, and `reason` why it was not sent."""

    id: int
    email: str
    role: Role
    language: str
    invited_by: Sender | None
    created_at: datetime
    expires_at: datetime
    mail: DeliveryStatus
    reason: str | None


PEND = text("""
    INSERT INTO pending_accounts (mail_id, role, password_hash, display_name, time_zone, invited_by)
    VALUES (:mail_id, :role, :password_hash, :display_name, :time_zone, :invited_by)
""")
OPEN = "m.kind = 'invite' AND m.ended_at IS NULL AND m.expires_at > now()"
PAGE = text(f"""
    SELECT m.id, m.email, p.role, m.language, p.invited_by AS inviter, m.created_at, m.expires_at,
           coalesce(nullif(i.display_name, ''), i.email) AS inviter_name, d.status AS mail, d.reason
    FROM security_mails m JOIN pending_accounts p ON p.mail_id = m.id JOIN deliveries d ON d.security_mail_id = m.id
    LEFT JOIN users i ON i.id = p.invited_by
    WHERE {OPEN} AND m.id < :before AND (CAST(:id AS bigint) IS NULL OR m.id = :id)
    ORDER BY m.id DESC LIMIT :limit OFFSET :offset
""")  # noqa: S608
REVOKE = text(f"UPDATE security_mails m SET ended_at = now() WHERE {OPEN} AND m.id = :id RETURNING m.email")  # noqa: S608
REVOKE_EARLIER = text(
    f"UPDATE security_mails m SET ended_at = now() WHERE {OPEN} AND lower(m.email) = lower(:email)"  # noqa: S608
)


async def pend(
    tx: Tx,
    mail_id: int,
    *,
    role: Role,
    password_hash: str | None = None,
    display_name: str = "",
    time_zone: str = "UTC",
    invited_by: int | None = None,
) -> None:
    """Keep what the account is to be that the link of a mail makes."""
    values = {
        "mail_id": mail_id,
        "role": role.value,
        "password_hash": password_hash,
        "display_name": display_name,
        "time_zone": time_zone,
        "invited_by": invited_by,
    }
    await tx.execute(PEND, values)


async def page(tx: Tx, *, before: int, offset: int, limit: int, only: int | None = None) -> list[Invitation]:
    """The invitations that are still open, newest first, with an id below `before`; `only` names one."""
    rows = await tx.execute(PAGE, {"before": before, "offset": offset, "limit": limit, "id": only})
    return [
        Invitation(
            id=row.id,
            email=row.email,
            role=Role(row.role),
            language=row.language,
            invited_by=None if row.inviter is None else Sender(row.inviter, row.inviter_name),
            created_at=row.created_at,
            expires_at=row.expires_at,
            mail=DeliveryStatus(row.mail),
            reason=row.reason,
        )
        for row in rows
    ]


async def one(tx: Tx, invitation_id: int) -> Invitation | None:
    found = await page(tx, before=invitation_id + 1, offset=0, limit=1, only=invitation_id)
    return found[0] if found else None


async def revoke(tx: Tx, invitation_id: int) -> str | None:
    """Make an open invitation void. To whom it was, or None if there is no such."""
    email: str | None = await tx.scalar(REVOKE, {"id": invitation_id})
    return email


async def revoke_earlier(tx: Tx, email: str) -> None:
    """Make the open invitations to an address void, before another one is made."""
    await tx.execute(REVOKE_EARLIER, {"email": email})
