"""Figures for Prometheus, in its text format 0.0.4."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError

from belfry.mail.queue import Queue, look
from belfry.realtime.live import Live
from belfry.web.health import in_time
from db import Database
from db.models import DeliveryStatus

CONTENT_TYPE = "text/plain; version=0.0.4"  # Litestar adds the charset


class Gauge(NamedTuple):
    name: str
    help: str
    values: Mapping[str, float]  # by label, or under "" the only one

    def __str__(self) -> str:
        samples = [f"{self.name}{label} {value}" for label, value in self.values.items()]
        return "\n".join((f"# HELP {self.name} {self.help}", f"# TYPE {self.name} gauge", *samples, ""))


class MetricsController(Controller):
    path = "/metrics"
    tags = ["Health"]
    opt = {"exclude_from_auth": True}

    @get(
        responses={
            200: ResponseSpec(str, description="Gauges", media_type=CONTENT_TYPE, generate_examples=False),
        },
        summary="Figures for Prometheus",
    )
    async def metrics(
        self, db: NamedDependency[Database], live: NamedDependency[Live], whereabouts: NamedDependency[Redis]
    ) -> Response[str]:
        """Gauges in Prometheus's text format 0.0.4: of this process its streams, of all the send queue.

        What PostgreSQL or Redis does not say is left out. Nothing in it is about a person.
        """
        queue = await in_time(_queue(db, whereabouts))
        return Response(exposition(live, queue), media_type=CONTENT_TYPE)


async def _queue(db: Database, whereabouts: Redis) -> Queue | None:
    try:
        return await look(db, whereabouts)
    except (SQLAlchemyError, OSError):
        return None


def exposition(live: Live, queue: Queue | None) -> str:
    return "".join(map(str, gauges(live, queue)))


def gauges(live: Live, queue: Queue | None) -> Iterator[Gauge]:
    def gauge(name: str, text: str, value: float) -> Gauge:
        return Gauge(f"belfry_{name}", text, {"": value})

    yield gauge("streams", "Streams open at this process.", live.hub.open)
    yield gauge("redis_listening", "Whether this process hears events from Redis.", int(live.subscription.connected))
    yield gauge("database_up", "Whether PostgreSQL answers.", int(queue is not None))
    if queue is None:
        return
    by_status = {f'{{status="{status}"}}': queue.counts[status] for status in DeliveryStatus}
    yield Gauge("belfry_deliveries", "E-mails by state; of many, right to within some percent.", by_status)
    late = queue.oldest_due_seconds or 0.0
    yield gauge("oldest_due_seconds", "For how long the first e-mail that is due has been so.", round(late, 3))
    if queue.mail == "unknown":
        return
    yield gauge("workers", "Workers that are alive.", len(queue.workers))
    yield gauge("mail_paused", "Whether a worker found the mail server unavailable.", int(queue.mail == "paused"))
    yield gauge("mails_sending", "Mails with the mail server.", sum(worker.sending for worker in queue.workers))
    yield gauge("mails_per_second", "Mails sent a second lately, by all workers.", queue.rate)
