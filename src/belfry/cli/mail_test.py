"""`belfry mail-test`."""

import asyncio
import sys
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from belfry.mail.relay import Relay
    from belfry.settings import Settings


@click.command("mail-test")
@click.argument("address")
def command(address: str) -> None:
    """Try the mail settings with a mail to ADDRESS, step by step.

    Says what the server said at each step. The exit code is 1 if one failed.
    """
    from belfry.cli.settings import read_settings
    from belfry.mail.addresses import is_plain
    from belfry.mail.relay import Relay
    from belfry.settings import SettingsError

    settings = read_settings()
    if not is_plain(address):
        sys.exit(f"{address} is not an e-mail address.")
    try:
        relay = Relay.parse(settings.smtp_url)
    except SettingsError as error:
        sys.exit(str(error))
    if not asyncio.run(_try(settings, relay, address)):
        sys.exit(1)


async def _try(settings: "Settings", relay: "Relay", address: str) -> bool:
    from contextlib import aclosing

    from rich.console import Console
    from rich.text import Text

    from belfry.mail.probe import probe

    console = Console(highlight=False, soft_wrap=True)
    trying = probe(
        relay,
        sender=settings.mail_from,
        recipient=address,
        message=_message(settings, address),
        seconds=settings.send_seconds,
    )
    ok = True
    async with aclosing(trying) as steps:
        async for step in steps:
            ok = step.ok
            line = Text("ok      " if ok else "failed  ", style="green" if ok else "bold red")
            said = "".join(each if each.isprintable() else " " for each in step.said)
            console.print(line.append(f"{step.name:<10}{said}", style="default"))
    return ok


def _message(settings: "Settings", address: str) -> bytes:
    from datetime import UTC, datetime
    from uuid import uuid4

    from belfry.accounts.links import OneTimeLinks
    from belfry.mail.letters import Letterhead
    from belfry.mail.unsubscribe import UnsubscribeLinks
    from db.queries.deliveries import Letter

    links = UnsubscribeLinks(settings.secret_key, public_url=settings.public_url, old_key=settings.secret_key_old)
    one_time = OneTimeLinks(settings.secret_key, old_key=settings.secret_key_old)
    letterhead = Letterhead(
        mail_from=settings.mail_from, public_url=settings.public_url, links=links, one_time=one_time
    )
    letter = Letter(
        id=0,
        lease_token=uuid4(),
        attempt=1,
        unwanted=None,
        suppression=None,
        installation=uuid4(),  # no delivery: a Message-ID that no other mail has
        notification_id=0,
        broadcast=False,
        listed=False,
        user_id=0,
        email=address,
        display_name="",
        language="en",
        time_zone="UTC",
        title="Mail from Belfry works",
        content="This was sent by `belfry mail-test`.",
        link=None,
        priority=3,
        tags=[],
        sender=None,
        created_at=datetime.now(UTC),
    )
    return letterhead.render(letter)
