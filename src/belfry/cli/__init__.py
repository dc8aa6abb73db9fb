"""The command `belfry`. A command is a file here and a line in `COMMANDS`; only the one asked for is imported."""

from importlib import import_module

import rich_click as click

COMMANDS = {
    "up": "belfry.cli.up",
    "web": "belfry.cli.web",
    "worker": "belfry.cli.worker",
    "migrate": "belfry.cli.migrate",
    "user": "belfry.cli.user",
    "trace": "belfry.cli.trace",
    "queue": "belfry.cli.queue",
    "mail-test": "belfry.cli.mail_test",
    "broadcast": "belfry.cli.broadcast",
    "schedule": "belfry.cli.schedule",
}
"""Each module has a click command called `command`. `--help` imports them all: what is heavy they import when run."""


class Lazy(click.RichGroup):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[name]).command
        return command


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="belfry")
def belfry() -> None:
    """A self-hosted notification centre: inbox, live stream and e-mail, with nothing lost on the way."""
