"""Who there is. An account is a user and the inbox made with it."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import Role


class Actor(msgspec.Struct, frozen=True):
    """Who does something: the user of a login, or the one that a schedule, a job or a command acts for."""

    user_id: int
    email: str
    display_name: str
    role: Role


class Account(msgspec.Struct, frozen=True):
    """A user as others may know it: everything but the password."""

    id: int
    email: str
    display_name: str
    role: Role
    time_zone: str
    language: str
    created_at: datetime
    email_verified_at: datetime | None = None
    disabled_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        return Actor(self.id, self.email, self.display_name, self.role)


class Credentials(Actor, frozen=True):
    password_hash: str
    disabled: bool
    verified: bool


class LookedUp(NamedTuple):
    """An address as addresses are compared, and who has it. Only the database can say the former: it has a locale."""

    folded: str
    found: Credentials | None


COLUMNS = "id, email, display_name, role, time_zone, language, created_at, email_verified_at, disabled_at"

# The clock is read under a share lock: a broadcast either sees the new inbox or has a number it starts above.
CREATE = text(f"""
    WITH clock AS (
        SELECT modseq FROM broadcast_clock FOR SHARE
    ), made AS (
        INSERT INTO users (email, password_hash, display_name, role, language, time_zone, email_verified_at)
        VALUES (:email, :password_hash, :display_name, :role, :language, :time_zone,
                CASE WHEN :verified THEN now() END)
        ON CONFLICT (lower(email)) DO NOTHING
        RETURNING {COLUMNS}
    ), box AS (
        INSERT INTO inboxes (user_id, broadcasts_from) SELECT made.id, clock.modseq FROM made, clock
    )
    SELECT * FROM made
""")  # noqa: S608
BY_ID = text(f"SELECT {COLUMNS} FROM users WHERE id = :id")  # noqa: S608
BY_EMAIL = text(f"SELECT {COLUMNS} FROM users WHERE lower(email) = lower(:email)")  # noqa: S608
ALL = text(f"SELECT {COLUMNS} FROM users WHERE deleted_at IS NULL ORDER BY id")  # noqa: S608
FOLDED = text("SELECT lower(CAST(:email AS text))")
CREDENTIALS = text("""
    SELECT asked.folded, u.id AS user_id, u.email, u.display_name, u.role, u.password_hash,
           u.disabled_at IS NOT NULL AS disabled, u.email_verified_at IS NOT NULL AS verified
    FROM (SELECT lower(CAST(:email AS text)) AS folded) asked LEFT JOIN users u ON lower(u.email) = asked.folded
""")
# A password that is being changed is waited for, so that nobody gets in with the one before it.
HOLD_PASSWORD = text("""
    SELECT id FROM users WHERE id = :id AND password_hash = :password_hash AND disabled_at IS NULL FOR SHARE
""")
SET_PASSWORD = text("UPDATE users SET password_hash = :password_hash WHERE id = :id")
CHANGE = text(f"""
    UPDATE users SET display_name = coalesce(:display_name, display_name), language = coalesce(:language, language),
        time_zone = coalesce(:time_zone, time_zone)
    WHERE id = :id AND deleted_at IS NULL RETURNING {COLUMNS}
""")  # noqa: S608
VERIFY = text("""
    UPDATE users SET email_verified_at = now()
    WHERE id = :id AND lower(email) = lower(:email) AND email_verified_at IS NULL RETURNING id
""")
SET_EMAIL = text(f"""
    UPDATE users SET email = :email, email_verified_at = now()
    WHERE id = :id AND NOT EXISTS (SELECT FROM users WHERE lower(email) = lower(:email) AND id <> :id)
    RETURNING {COLUMNS}
""")  # noqa: S608
RECIPIENTS = text("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:emails AS text[])) WITH ORDINALITY AS w (id, email, position)
    )
    SELECT position, u.id FROM wanted JOIN users u ON u.id = wanted.id WHERE u.disabled_at IS NULL
    UNION ALL
    SELECT position, u.id FROM wanted JOIN users u ON lower(u.email) = lower(wanted.email) WHERE u.disabled_at IS NULL
""")
WITH_ROLE = text("SELECT id FROM users WHERE role = :role AND disabled_at IS NULL ORDER BY id")
EMAILS = text("SELECT id, email FROM users WHERE id = ANY(:ids) ORDER BY id")


async def create(
    tx: Tx,
    *,
    email: str,
    password_hash: str,
    display_name: str,
    role: Role,
    language: str = "en",
    time_zone: str = "UTC",
    verified: bool = False,
) -> Account | None:
    """Make a user and the inbox. None if somebody has that address already, whatever its case.

    `verified`: it is known that the address is the user's.
    """
    values = {
        "email": email,
        "password_hash": password_hash,
        "display_name": display_name,
        "role": role,
        "language": language,
        "time_zone": time_zone,
        "verified": verified,
    }
    row = (await tx.execute(CREATE, values)).mappings().first()
    return msgspec.convert(dict(row), Account) if row else None


async def by_id(tx: Tx, user_id: int) -> Account | None:
    row = (await tx.execute(BY_ID, {"id": user_id})).mappings().first()
    return msgspec.convert(dict(row), Account) if row else None


async def by_email(tx: Tx, email: str) -> Account | None:
    row = (await tx.execute(BY_EMAIL, {"email": email})).mappings().first()
    return msgspec.convert(dict(row), Account) if row else None


async def everyone(tx: Tx) -> list[Account]:
    return [msgspec.convert(dict(row), Account) for row in (await tx.execute(ALL)).mappings()]


async def emails(tx: Tx, user_ids: Collection[int]) -> list[tuple[int, str]]:
    """The ids of those of the given users that exist, in order, each with its address."""
    return [(row.id, row.email) for row in await tx.execute(EMAILS, {"ids": list(user_ids)})]


async def with_role(tx: Tx, role: Role) -> list[int]:
    """The ids of all enabled users who have a role."""
    return list(await tx.scalars(WITH_ROLE, {"role": role}))


async def folded(tx: Tx, email: str) -> str:
    """An address as addresses are compared."""
    return str(await tx.scalar(FOLDED, {"email": email}))


async def credentials(tx: Tx, email: str) -> LookedUp:
    row = (await tx.execute(CREDENTIALS, {"email": email})).mappings().one()
    found = None if row["user_id"] is None else msgspec.convert(dict(row), Credentials)
    return LookedUp(row["folded"], found)


async def hold_password(tx: Tx, user_id: int, password_hash: str) -> bool:
    """Whether this is still the user's password; until the transaction ends it cannot be changed."""
    return await tx.scalar(HOLD_PASSWORD, {"id": user_id, "password_hash": password_hash}) is not None


async def set_password(tx: Tx, user_id: int, password_hash: str) -> None:
    await tx.execute(SET_PASSWORD, {"id": user_id, "password_hash": password_hash})


async def change(
    tx: Tx, user_id: int, *, display_name: str | None = None, language: str | None = None, time_zone: str | None = None
) -> Account | None:
    """Change what is given. None if the user is gone."""
    values = {"id": user_id, "display_name": display_name, "language": language, "time_zone": time_zone}
    row = (await tx.execute(CHANGE, values)).mappings().first()
    return msgspec.convert(dict(row), Account) if row else None


async def verify(tx: Tx, user_id: int, email: str) -> bool:
    """Note that this address is the user's. False if that was known, or the user has another one by now."""
    return await tx.scalar(VERIFY, {"id": user_id, "email": email}) is not None


async def set_email(tx: Tx, user_id: int, email: str) -> Account | None:
    """Give a user another address, which is known to be the user's. None if somebody else has it."""
    row = (await tx.execute(SET_EMAIL, {"id": user_id, "email": email})).mappings().first()
    return msgspec.convert(dict(row), Account) if row else None


async def recipients(tx: Tx, wanted: list[int | str]) -> list[int | None]:
    """The user each id or e-mail address stands for, in order; None where there is no such user, or a disabled one."""
    values = {
        "ids": [one if isinstance(one, int) else None for one in wanted],
        "emails": [one if isinstance(one, str) else None for one in wanted],
    }
    found = {row.position: row.id for row in await tx.execute(RECIPIENTS, values)}
    return [found.get(position) for position in range(1, len(wanted) + 1)]
