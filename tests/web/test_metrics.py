"""What Prometheus reads."""

import re

import httpx
import msgspec
from sqlalchemy import text

from belfry.settings import Settings
from belfry.web.metrics import CONTENT_TYPE
from db import Database
from tasks.context import Context
from tests.people import Person
from tests.realtime.test_presence import becomes
from tests.rows import email_to
from tests.serving import Serving, serving

LINE = re.compile(
    r"# HELP belfry_[a-z_]+ [^\n]+|# TYPE belfry_[a-z_]+ gauge|(belfry_[a-z_]+(?:\{status=\"[a-z]+\"\})?) ([0-9.]+)"
)


async def scraped(web: Serving) -> dict[str, float]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{web.url}/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"{CONTENT_TYPE}; charset=utf-8")
    assert answer.text.endswith("\n")
    found = [LINE.fullmatch(line) for line in answer.text.splitlines()]
    assert all(found), answer.text
    return {each[1]: float(each[2]) for each in found if each is not None and each[1] is not None}


async def test_the_queue_and_the_streams_are_told(belfry: Serving, db: Database, context: Context, bob: Person) -> None:
    await email_to(db, bob.id)
    async with db.begin() as tx:
        await tx.execute(text("UPDATE deliveries SET due_at = now() - interval '90 seconds'"))
    async with bob.stream() as events:
        await events.next("open")
        await becomes(lambda: workers(belfry), 1)
        told = await scraped(belfry)

    assert told['belfry_deliveries{status="pending"}'] == 1
    assert told['belfry_deliveries{status="sent"}'] == 0
    assert 90 <= told["belfry_oldest_due_seconds"] < 100
    assert (told["belfry_streams"], told["belfry_database_up"], told["belfry_mail_paused"]) == (1, 1, 0)


async def workers(web: Serving) -> float:
    return (await scraped(web))["belfry_workers"]


async def test_without_postgresql_it_says_what_it_knows(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, database_url="postgresql://nobody@127.0.0.1:9/none")
    async with serving(away) as web:
        told = await scraped(web)

    assert told == {
        "belfry_streams": 0,
        "belfry_redis_listening": told["belfry_redis_listening"],
        "belfry_database_up": 0,
    }
