"""`belfry user`: accounts, from the machine itself."""

import sys
from typing import TYPE_CHECKING

import rich_click as click

from belfry.cli.database import run

if TYPE_CHECKING:
    from db import Tx
    from db.queries.users import Account

ROLES = click.Choice(["member", "sender", "admin"])


@click.group("user")
def command() -> None:
    """Make and change accounts."""


@command.command()
@click.argument("email")
@click.option("--role", type=ROLES, default="member", show_default=True)
@click.option("--name", default="", help="The name others see.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def create(email: str, role: str, name: str, password_stdin: bool) -> None:
    """Make an account."""
    from belfry.accounts.login import register
    from belfry.intake import fields
    from db import Database
    from db.models import Role
    from db.queries.audit import COMMAND_LINE

    password = _read_password(password_stdin)

    async def work(db: Database) -> str:
        from belfry.accounts.passwords import Passwords

        address = fields.address("email", email)
        display_name = fields.display_name("name", name)
        account = await register(
            db,
            Passwords(),
            email=address,
            password=password,
            display_name=display_name,
            role=Role(role),
            by=COMMAND_LINE,
        )
        return f"Made {account.email}, {account.role}, with the id {account.id}."

    print(run(work))


@command.command()
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def password(email: str, password_stdin: bool) -> None:
    """Set a new password. All logins of the account end; its API keys stay."""
    from belfry.accounts.passwords import Passwords
    from db import Database
    from db.models import Action
    from db.queries import audit, sessions, users

    new = _read_password(password_stdin)

    async def work(db: Database) -> None:
        password_hash = await Passwords().hash(new)
        async with db.begin() as tx:
            account = await _account(tx, email)
            await users.set_password(tx, account.id, password_hash)
            await sessions.close_all(tx, account.id)
            await audit.record(tx, Action.USER_PASSWORD_CHANGED, actor=audit.COMMAND_LINE, subject=account.email)

    run(work)
    print("The password is set, and all sessions have ended.")


@command.command()
@click.argument("email")
@click.argument("role", type=ROLES)
def role(email: str, role: str) -> None:
    """Give an account another role."""
    from db import Database
    from db.models import Action, Role
    from db.queries import audit, users

    async def work(db: Database) -> None:
        async with db.begin() as tx:
            account = await _account(tx, email)
            await users.set_role(tx, account.id, Role(role))
            detail = {"before": account.role, "role": role}
            await audit.record(tx, Action.USER_ROLE_CHANGED, actor=audit.COMMAND_LINE, subject=account.email, **detail)

    run(work)
    print(f"{email} is now {role}.")


@command.command("list")
def list_() -> None:
    """List the accounts."""
    from rich.console import Console
    from rich.table import Table

    from db import Database
    from db.queries import users

    async def work(db: Database) -> list[users.Account]:
        async with db.statement() as tx:
            return await users.everyone(tx)

    table = Table("id", "e-mail", "name", "role", "since", "")
    for account in run(work):
        since = f"{account.created_at:%Y-%m-%d}"
        state = "disabled" if account.disabled_at else ""
        table.add_row(str(account.id), account.email, account.display_name, account.role, since, state)
    Console().print(table)


def _read_password(from_stdin: bool) -> str:
    from belfry.accounts.passwords import LONGEST, SHORTEST

    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    else:
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not SHORTEST <= len(given) <= LONGEST:
        sys.exit(f"A password has {SHORTEST} to {LONGEST} characters; this one has {len(given)}.")
    return str(given)


async def _account(tx: "Tx", email: str) -> "Account":
    from db.queries import users

    account = await users.by_email(tx, email)
    if account is None:
        sys.exit(f"There is no account with the address {email}.")
    return account
