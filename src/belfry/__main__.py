"""`belfry` and `python -m belfry`."""

import sys
from types import TracebackType

from belfry.cli import belfry


def main() -> None:
    sys.excepthook = _discreetly
    belfry(prog_name="belfry")


def _discreetly(kind: type[BaseException], error: BaseException, place: TracebackType | None) -> None:
    """A defect, shown without the exception's words: they may be what somebody wrote, and cron mails what it reads."""
    from belfry import log

    sys.stderr.write(log.without_words((kind, error, place)) + "\n")


if __name__ == "__main__":
    main()
