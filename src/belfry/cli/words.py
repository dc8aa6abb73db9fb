"""The options of commands that say something."""

from collections.abc import Callable
from typing import Any, TypeVar

import rich_click as click

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = (
    click.option("--title", required=True),
    click.option("--content"),
    click.option("--link", help="An http:// or https:// address."),
    click.option("--priority", type=int, help="1 to 5; 5 alerts at once, 1 never alerts. [default: 3]"),
    click.option("--tag", "tags", multiple=True, help="May be repeated."),
    click.option("--channel", "channels", multiple=True, help="inbox, email, desktop; repeatable. [default: inbox]"),
)


def words(command: F) -> F:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def given(options: dict[str, object]) -> dict[str, object]:
    """The options that were given, as JSON would have them; what was left out has the defaults of requests."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in options.items()
        if value is not None and value != ()
    }
