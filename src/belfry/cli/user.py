"""`belfry user`: accounts, from the machine itself."""

import sys
from typing import TYPE_CHECKING

import rich_click as click

from belfry.cli.database import run

if TYPE_CHECKING:
    from db import Tx
    from db.models import Role
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
    """Make an account. You vouch for its address: it need not be verified."""
    from belfry.accounts.registering import NewUser, register
    from belfry.intake import fields
    from db import Database
    from db.models import Role
    from db.queries.audit import COMMAND_LINE

    password = _read_password(password_stdin)

    async def work(db: Database) -> str:
        from belfry.accounts.passwords import Passwords

        new = NewUser(email=fields.address("email", email), display_name=fields.display_name("name", name))
        account = await register(db, Passwords(), new, password, role=Role(role), by=COMMAND_LINE, verified=True)
        return f"Made {account.email}, {account.role}, with the id {account.id}."

    print(run(work))


@command.command()
@click.argument("email")
@click.option("--role", type=ROLES, default="member", show_default=True)
@click.option("--language", type=click.Choice(["en", "zh-Hans"]), default="en", show_default=True)
def invite(email: str, role: str, language: str) -> None:
    """Send somebody a link that makes an account."""
    from belfry.accounts import administration, registering
    from belfry.accounts.mails import AccountMails
    from belfry.cli.settings import read_settings
    from belfry.intake import fields
    from db import Database
    from db.models import Role
    from db.queries.audit import COMMAND_LINE

    settings = read_settings()

    async def work(db: Database) -> str:
        registering.admit(settings, invited=True)
        address = fields.address("email", email)
        async with db.begin() as tx:
            made = await administration.invite(
                tx, AccountMails(settings), by=COMMAND_LINE, email=address, role=Role(role), language=language
            )
        return f"Invited {made.email}, {made.role}. The link works until {made.expires_at:%Y-%m-%d %H:%M} UTC."

    print(run(work))


@command.command()
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def password(email: str, password_stdin: bool) -> None:
    """Set a new password. All logins of the account end; its API keys stay."""
    from belfry.accounts import new_password
    from belfry.accounts.choosing import check_choice
    from belfry.accounts.mails import AccountMails
    from belfry.accounts.passwords import Passwords
    from belfry.cli.settings import read_settings
    from db import Database
    from db.queries.audit import COMMAND_LINE

    new = _read_password(password_stdin)
    mails = AccountMails(read_settings())

    async def work(db: Database) -> None:
        check_choice("password", new, email)
        password_hash = await Passwords().hash(new)
        async with db.begin() as tx:
            account = await _account(tx, email)
            await new_password.set_(tx, mails, account.id, password_hash, by=COMMAND_LINE)

    run(work)
    print("The password is set, and all sessions have ended.")


@command.command()
@click.argument("email")
@click.argument("role", type=ROLES)
def role(email: str, role: str) -> None:
    """Give an account another role. The last admin stays one."""
    from db.models import Role

    _change(email, role=Role(role))
    print(f"{email} is now {role}.")


@command.command()
@click.argument("email")
def disable(email: str) -> None:
    """Disable an account: its logins end, nobody can log in to it, and nothing is sent to it."""
    _change(email, disabled=True)
    print(f"{email} is disabled.")


@command.command()
@click.argument("email")
def enable(email: str) -> None:
    """Enable an account that was disabled. Its API keys hold again."""
    _change(email, disabled=False)
    print(f"{email} is enabled.")


@command.command()
@click.argument("email")
def verify(email: str) -> None:
    """Vouch for the address of an account, as if a link sent to it had been used."""
    from db import Database
    from db.models import Action
    from db.queries import audit, users

    async def work(db: Database) -> None:
        async with db.begin() as tx:
            account = await _account(tx, email)
            if await users.verify(tx, account.id, account.email):
                await audit.record(tx, Action.USER_EMAIL_VERIFIED, actor=audit.COMMAND_LINE, subject=account.email)

    run(work)
    print(f"{email} is verified.")


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
        state = "disabled" if account.disabled_at else "" if account.email_verified_at else "not verified"
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


def _change(email: str, *, role: "Role | None" = None, disabled: bool | None = None) -> None:
    from belfry.accounts import administration
    from db import Database
    from db.queries.audit import COMMAND_LINE

    async def work(db: Database) -> None:
        async with db.begin() as tx:
            account = await _account(tx, email)
            await administration.change(tx, account.id, by=COMMAND_LINE, role=role, disabled=disabled)

    run(work)


async def _account(tx: "Tx", email: str) -> "Account":
    from db.queries import users

    account = await users.by_email(tx, email)
    if account is None:
        sys.exit(f"There is no account with the address {email}.")
    return account
