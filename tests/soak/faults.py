"""The table of faults, and the order in which the seed deals them."""

import random
from collections.abc import Iterator

import msgspec

from belfry.up.postgres import Postgres
from belfry.up.redis import Redis
from tests.smtp_sink import Fault as Answer
from tests.soak import acts
from tests.soak.acts import Prepare
from tests.soak.member import Member
from tests.soak.plan import Plan
from tests.soak.promises import WEB_SECONDS, WORKER_SECONDS
from tests.soak.scene import Scene

TWO_AT_ONCE = 0.3


class Fault(msgspec.Struct, frozen=True):
    """`group` is what it hurts: two faults of one group are never done at once."""

    name: str
    group: str
    weight: int
    prepare: Prepare


class Deal(msgspec.Struct, frozen=True):
    """Faults to be done together: for each its own source of choices, and where in the plan's bounds it is held; then
    where in the plan's bounds nothing is done."""

    faults: list[tuple[Fault, random.Random, float]]
    calm: float


def webs(scene: Scene) -> list[Member]:
    return scene.webs


def workers(scene: Scene) -> list[Member]:
    return scene.workers


def queue(scene: Scene) -> Redis:
    return scene.queue


def events(scene: Scene) -> Redis:
    return scene.events


def postgres(scene: Scene) -> Postgres:
    return scene.postgres


FAULTS = [
    Fault("web kill -9", "web", 3, acts.killed(webs)),
    Fault("web SIGTERM", "web", 3, acts.stopped(webs, within=WEB_SECONDS + 5)),
    Fault("web frozen", "web", 2, acts.frozen(webs)),
    Fault("worker kill -9", "worker", 5, acts.killed(workers)),
    Fault("worker SIGTERM", "worker", 2, acts.stopped(workers, within=WORKER_SECONDS + 5)),
    Fault("worker frozen", "worker", 1, acts.frozen(workers)),
    Fault("worker frozen past its lease", "worker", 2, acts.frozen(workers, past_lease=True)),
    Fault("all workers kill -9", "worker", 1, acts.no_workers),
    Fault("queue Redis kill -9", "queue", 2, acts.redis_killed(queue)),
    Fault("queue Redis frozen", "queue", 1, acts.server_frozen(queue)),
    Fault("queue Redis down", "queue", 1, acts.server_down(queue)),
    Fault("queue Redis FLUSHALL", "queue", 3, acts.redis_told(queue, "FLUSHALL")),
    Fault("event Redis kill -9", "events", 2, acts.redis_killed(events)),
    Fault("event Redis frozen", "events", 1, acts.server_frozen(events)),
    Fault("event Redis down", "events", 1, acts.server_down(events)),
    Fault("event Redis FLUSHALL", "events", 1, acts.redis_told(events, "FLUSHALL")),
    Fault("event Redis drops listeners", "events", 2, acts.redis_told(events, "CLIENT", "KILL", "TYPE", "pubsub")),
    Fault("event Redis drops publishers", "events", 3, acts.redis_told(events, "CLIENT", "KILL", "TYPE", "normal")),
    Fault("PostgreSQL immediate stop", "postgres", 2, acts.postgres_immediately_stopped),
    Fault("PostgreSQL restart", "postgres", 1, acts.server_down(postgres)),
    Fault("PostgreSQL backend kill -9", "postgres", 1, acts.backend_killed),
    Fault("PostgreSQL backends terminated", "postgres", 3, acts.backends_terminated),
    Fault("PostgreSQL frozen", "postgres", 1, acts.server_frozen(postgres)),
    Fault("SMTP refused", "smtp", 1, acts.smtp_refuses),
    Fault("SMTP no greeting", "smtp", 1, acts.smtp_says("CONNECT", Answer.HANG)),
    Fault("SMTP 421 at the greeting", "smtp", 1, acts.smtp_says("CONNECT", "421 4.3.2 busy")),
    Fault("SMTP 421 at MAIL", "smtp", 1, acts.smtp_says("MAIL", "421 4.3.2 closing")),
    Fault("SMTP 421 at RCPT", "smtp", 1, acts.smtp_says("RCPT", "421 4.3.2 closing")),
    Fault("SMTP 421 at DATA", "smtp", 1, acts.smtp_says("DATA", "421 4.3.2 closing")),
    Fault("SMTP 421 after the content", "smtp", 1, acts.smtp_says("DOT", "421 4.3.2 closing")),
    Fault("SMTP 450 at RCPT", "smtp", 1, acts.smtp_says("RCPT", "450 4.2.1 later")),
    Fault("SMTP drops before the final dot", "smtp", 1, acts.smtp_says("BODY", Answer.DROP)),
    Fault("SMTP drops after the final dot", "smtp", 2, acts.smtp_says("DOT", Answer.DROP)),
    Fault("SMTP one byte a second", "smtp", 1, acts.smtp_slow),
    Fault("SMTP frozen", "smtp", 1, acts.smtp_frozen),
    Fault("SMTP 535", "smtp", 1, acts.smtp_says("AUTH", "535 5.7.8 no")),
]


def deals(plan: Plan) -> Iterator[Deal]:
    """Faults without end. Each comes as often as its weight before any comes again."""
    rng = plan.random("faults")
    deck: list[Fault] = []
    while True:
        if len(deck) < len(FAULTS):
            more = [fault for fault in FAULTS for _ in range(fault.weight)]
            rng.shuffle(more)
            deck += more
        chosen = [deck.pop(0)]
        if rng.random() < TWO_AT_ONCE:
            other = next(fault for fault in deck if fault.group != chosen[0].group)
            deck.remove(other)
            chosen.append(other)
        yield Deal([(fault, random.Random(rng.random()), rng.random()) for fault in chosen], rng.random())
