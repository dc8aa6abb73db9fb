"""`belfry worker`."""

import rich_click as click


@click.command("worker")
def command() -> None:
    """Send e-mails and do what is due.

    Any number of workers may run beside each other. This becomes `python -m tasks`.
    """
    import os
    import sys

    os.execv(sys.executable, [sys.executable, "-m", "tasks"])  # noqa: S606
