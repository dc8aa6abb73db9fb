"""`belfry broadcast`: say something to everyone, from a script or a crontab."""

import sys

import rich_click as click

from belfry.cli.database import run, tell
from belfry.cli.words import given, words


@click.command("broadcast")
@words
@click.option("--as", "sender", metavar="EMAIL", help="The sender. [default: BELFRY_BROADCAST_SENDER]")
@click.option("--key", help="Within 48 hours, the same key again sends nothing again and prints the same id.")
def command(key: str | None, **options: object) -> None:
    """Say something to everyone, and print its id. The content - is read from standard input.

    It goes straight into the database: once the id is printed, it will be delivered. Redis may be down meanwhile.
    The exit code is 0, also for a repeated key; 1 if it was refused or the database cannot be reached; 2 for options
    that are none.
    """
    from belfry.cli.settings import read_settings
    from belfry.intake import fields
    from belfry.intake.decoding import convert
    from belfry.sending import broadcasts
    from belfry.sending.messages import NamedBroadcast
    from db import Database

    settings = read_settings()

    async def work(db: Database) -> int:
        if options["content"] == "-":
            options["content"] = sys.stdin.read().rstrip("\n")
        request = convert(given(options), NamedBroadcast)
        once = None if key is None else convert(key, fields.Key, name="key")
        async with db.begin() as tx:
            item, published = await broadcasts.accept_named(
                tx, request, key=once, default_sender=settings.broadcast_sender, by="command"
            )
        await tell(settings, published)
        return item.id

    print(run(work))
