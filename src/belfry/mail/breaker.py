"""A circuit breaker for the relay: when it is down no mail should pay for finding out again."""

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Breaker"]

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0

logger = logging.getLogger("belfry.mail")


class Breaker:
    """Closed while the relay works. A failure opens it for a growing pause; after it one mail is let through to see.

    `reason` is what the last failure was, while it is open; `changed` is called when it opens and when it closes.
    """

    def __init__(
        self,
        *,
        first_pause: float = FIRST_PAUSE,
        longest_pause: float = LONGEST_PAUSE,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.reason: str | None = None
        self.since = datetime.now(UTC)
        self._first, self._longest = first_pause, longest_pause
        self._changed = changed
        self._failures = 0
        self._open_until = 0.0

    @property
    def closed(self) -> bool:
        return self._failures == 0

    @property
    def pause(self) -> float:
        """Seconds until a mail may be tried; 0 if now."""
        return 0.0 if self.closed else max(0.0, self._open_until - time.monotonic())

    def succeeded(self) -> None:
        if self.closed:
            return
        logger.warning("the SMTP relay works again after %d failed tries", self._failures)
        self._failures = 0
        self._turn(None)

    def failed(self, reason: str) -> None:
        """Open, or stay open for longer. Mails that fail while it is open already count as the same failure."""
        if self.pause > 0:
            return
        opens = self.closed
        longest = min(self._longest, self._first * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        self._open_until = time.monotonic() + longest * random.uniform(0.75, 1.0)  # noqa: S311  # spreads workers
        logger.error("the SMTP relay is unavailable (%s); trying again in %.1f s", reason, self.pause)
        if opens:
            self._turn(reason)
        self.reason = reason

    def _turn(self, reason: str | None) -> None:
        self.reason = reason
        self.since = datetime.now(UTC)
        self._changed()
