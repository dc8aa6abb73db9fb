"""Whether this process lives, and whether it can serve."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal, TypeVar

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError

from belfry.mail.queue import MailState, sending
from belfry.realtime.live import Live
from db import Database, migrate

DEADLINE = 2.0

Part = Literal["ok", "away", "not migrated"]
T = TypeVar("T")


class Health(msgspec.Struct, frozen=True):
    status: Literal["ok", "unavailable"]


class Readiness(msgspec.Struct, frozen=True):
    """Only PostgreSQL decides; without Redis or the mail server events and mail are late, and nothing is lost."""

    status: Literal["ok", "unavailable"]
    database: Part
    redis: Part
    streams: int
    mail: MailState
    mail_reason: str | None
    workers: int


class HealthController(Controller):
    path = "/health"
    tags = ["Health"]
    opt = {"exclude_from_auth": True}

    @get("/live", summary="Is the process alive?")
    async def live_(self) -> Health:
        """200 as long as the process answers at all."""
        return Health("ok")

    @get(
        "/ready",
        responses={
            503: ResponseSpec(Readiness, description="PostgreSQL is away or not migrated", generate_examples=False)
        },
        summary="Can it serve?",
    )
    async def ready(
        self, db: NamedDependency[Database], live: NamedDependency[Live], whereabouts: NamedDependency[Redis]
    ) -> Response[Readiness]:
        """200 if PostgreSQL answers and is migrated, else 503. The state of Redis and of mail is only told."""
        known, mail = await asyncio.gather(in_time(_revision(db)), sending(whereabouts))
        database = known or "away"
        redis: Part = "ok" if live.subscription.connected else "away"
        ok = database == "ok"
        readiness = Readiness(
            "ok" if ok else "unavailable", database, redis, live.hub.open, mail.mail, mail.reason, len(mail.workers)
        )
        return Response(readiness, status_code=200 if ok else 503)


async def in_time(question: Coroutine[Any, Any, T]) -> T | None:
    """The answer, or None: a frozen server keeps even the end of a question waiting, so it is left to end by itself."""
    asking = asyncio.create_task(question)
    done, _ = await asyncio.wait({asking}, timeout=DEADLINE)
    if not done:
        asking.cancel()
        return None
    return asking.result()


async def _revision(db: Database) -> Part:
    try:
        migrated = await migrate.revision(db) == migrate.newest_revision(db)
    except (SQLAlchemyError, OSError):
        return "away"
    return "ok" if migrated else "not migrated"
