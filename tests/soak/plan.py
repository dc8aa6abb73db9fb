"""How long, how much and how hard. The seed makes the faults and the requests; only their timing differs."""

import random

import msgspec

from belfry.settings import Settings
from tasks.send_due import FIRST_DELAY, GROWTH

BREAKER_SECONDS = 30.0  # the longest time a worker leaves the mail server alone


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All durations are in seconds. `calm` is how long nothing is wrong between faults; `slack` what a slow machine is
    forgiven; `shown` how many of the people have streams open, one on each web process."""

    seed: int
    seconds: float
    people: int = 44
    shown: int = 24
    senders: int = 6
    workers: int = 3
    pause: float = 0.1
    calm: tuple[float, float] = (1.0, 12.0)
    hold: tuple[float, float] = (0.5, 5.0)
    fresh: float = 1.0
    slack: float = 5.0
    lease_seconds: int = 20
    send_seconds: float = 5.0
    sweep_seconds: int = 5
    attempts: int = 5
    position_check_seconds: float = 5.0

    def random(self, what: str) -> random.Random:
        """A source of its own for each that draws, so that what one does does not change what another does."""
        return random.Random(f"{self.seed} {what}")

    def settings(self, settings: Settings) -> Settings:
        names = ("lease_seconds", "send_seconds", "sweep_seconds", "attempts", "position_check_seconds")
        return msgspec.structs.replace(
            settings, **{name: getattr(self, name) for name in names}, streams_per_user=self.shown * 4
        )

    @property
    def mail_seconds(self) -> float:
        """How long after the last fault a mail can still be under way: it may just have been claimed, or put off."""
        put_off = FIRST_DELAY * GROWTH ** (self.attempts - 2)
        return self.lease_seconds + self.sweep_seconds + put_off + BREAKER_SECONDS + self.send_seconds + self.slack

    @property
    def event_seconds(self) -> float:
        """How late an event may be that Redis did not carry."""
        return self.position_check_seconds + self.fresh + self.slack


def quick(seed: int, seconds: float = 120.0) -> Plan:
    """A plan for the test suite."""
    return Plan(
        seed=seed,
        seconds=seconds,
        people=24,
        shown=10,
        senders=4,
        calm=(0.3, 2.0),
        hold=(0.3, 2.0),
        fresh=3.0,
        lease_seconds=5,
        send_seconds=2.5,
        sweep_seconds=1,
        attempts=3,
        position_check_seconds=3.0,
    )
