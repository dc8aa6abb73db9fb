"""The account that `up` makes on the first start, so that somebody can log in."""

import secrets
from collections.abc import Mapping, Sequence

import msgspec
import psycopg

from belfry.settings import Settings
from belfry.up.kept import Say
from belfry.up.program import Program, ProgramFailed, finish


class Administrator(msgspec.Struct, frozen=True):
    """`password` is known in the run that made the account, and while a setting says it. It is written down nowhere."""

    email: str
    password: str | None


async def administrator(
    settings: Settings, database_url: str, command: Sequence[str], env: Mapping[str, str], *, say: Say
) -> Administrator:
    """The administrator that the database has, or one made now if it has none: then this is the first start."""
    if email := await _present(database_url, settings.admin_email):
        return Administrator(email, settings.admin_password if email == settings.admin_email else None)
    email, password = settings.admin_email, settings.admin_password or secrets.token_urlsafe(12)
    argv = [*command, "user", "create", email, "--role", "admin", "--password-stdin"]
    try:
        await finish(Program(name="belfry user create", argv=argv, env=env), given=password + "\n")
    except ProgramFailed as failure:
        say(f"There is no administrator. {failure}")
        return Administrator(email, settings.admin_password or None)
    say(f"Made the administrator {email}" + ("" if settings.admin_password else f" with the password {password}"))
    return Administrator(email, password)


async def _present(database_url: str, preferred: str) -> str | None:
    conninfo = database_url.replace("postgresql+psycopg:", "postgresql:", 1)
    async with await psycopg.AsyncConnection.connect(conninfo, connect_timeout=10) as connection:
        found = await connection.execute(
            "SELECT email FROM users WHERE role = 'admin' ORDER BY email = %s DESC, id LIMIT 1", [preferred]
        )
        row = await found.fetchone()
    return row[0] if row else None
