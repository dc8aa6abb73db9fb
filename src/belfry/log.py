"""Structured logs: one event a line, readable on a terminal, JSON elsewhere.

A line names what it is about by `request_id`, `user_id`, `notification_id`, `delivery_id` and `job_id`, as far as these
are known where it is written, and never shows what somebody sent: of an exception it says type and place, and not its
words, for these may be a statement's values, a mail, or what stood in Redis.
"""

import logging
import sys
import traceback
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import IO, Any

import msgspec
import structlog
from structlog.contextvars import bind_contextvars

__all__ = ["about", "configure", "without_words"]

NOISY = {"alembic": logging.WARNING, "arq": logging.WARNING, "mail.log": logging.WARNING}  # a line a job, a mail
HIDDEN = "[hidden]"

Raised = tuple[type[BaseException], BaseException, TracebackType | None]

about = bind_contextvars
"""Say what this request, job or letter is about; all that it logs from now on says so."""


def configure(*, hide: Iterable[str] = ()) -> None:
    """Send structlog and the standard library's logging through one formatter to standard error.

    `hide` are secrets that are ours, from the settings: wherever a library may show one, it is blotted out.
    """
    on_terminal = sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=_print)
        if on_terminal
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Discreet(
            hide,
            foreign_pre_chain=[*shared, _first_line_of_asyncio],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([] if on_terminal else [structlog.processors.ExceptionRenderer(without_words)]),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name, level in NOISY.items():
        logging.getLogger(name).setLevel(level)


class _Discreet(structlog.stdlib.ProcessorFormatter):
    def __init__(self, hide: Iterable[str], **given: Any) -> None:
        super().__init__(**given)
        self._hide = sorted(hide, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in self._hide:
            line = line.replace(secret, HIDDEN)
        return line


def _json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


def without_words(exc_info: Raised) -> str:
    return "\n".join(_lines(exc_info[1]))


def _print(out: IO[str], raised: Raised) -> None:
    out.write("\n" + without_words(raised))


def _lines(error: BaseException) -> Iterator[str]:
    """As Python shows an exception, with what led to it, but for its words."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _lines(before)
        yield "\nwhich led to:\n"
    yield from ("Traceback (most recent call last):", "".join(traceback.format_tb(error.__traceback__)).rstrip("\n"))
    kind = type(error)
    code = getattr(error, "sqlstate", None) or getattr(error, "errno", None)
    yield f"{kind.__module__}.{kind.__qualname__}" + (f" ({code})" if code else "")
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield "\namong them:\n"
            yield from _lines(each)


def _first_line_of_asyncio(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What follows is the representation of tasks, with the words of their exceptions."""
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0]
    return event
