"""What sixty people who log in at once cost everybody else: posts and their events on an open stream meanwhile."""

import asyncio

import httpx
import msgspec
from sqlalchemy import text

from belfry.accounts.passwords import Passwords
from db.models import Role
from tests.bench.client.paced import Arrived, Paced
from tests.bench.client.wire import request
from tests.bench.latency import quantile
from tests.bench.report import Report, figure
from tests.bench.stage import Stage

BOUND = 0.5  # between the medians of rounds
TAIL_BOUND = 1.5  # between their 99th percentiles: one post of a hundred decides
MOST_MS = 500.0
CALM, STORM = "nobody else", "60 logins at once"
SECRET = "what somebody knows"


class Size(msgspec.Struct, frozen=True, kw_only=True):
    rounds: int = 3
    posts: int = 100
    warm_up: int = 10
    per_second: float = 20.0
    logins: int = 60


FULL = Size()
QUICK = Size(rounds=2, posts=10, warm_up=2)


async def run(stage: Stage, size: Size) -> Report:
    passwords = Passwords()
    password_hash = await passwords.hash(SECRET)
    passwords.close()
    async with stage.database() as db:
        user = await stage.user(db, "reader@example.com", Role.SENDER)
        async with db.statement() as tx:
            await tx.execute(text("UPDATE users SET password_hash = :hash"), {"hash": password_hash})
    task = stage.progress.add_task("logins: posting, alone and beside a storm of logins", total=size.rounds)
    rounds: list[dict[str, Arrived]] = []
    rates: list[float] = []
    async with stage.serving(login_failures_per_account="0", login_failures_per_address="0") as web:
        job = Paced(
            port=web.port,
            stream=request("GET", "/v1/stream", token=user.token),
            post=request("POST", "/v1/notifications", token=user.token, body={"title": "Build passed"}),
            posts=size.posts,
            warm_up=size.warm_up,
            per_second=size.per_second,
        )
        for _ in range(size.rounds):
            calm = await stage.ask(job, Arrived)
            over = asyncio.Event()
            storm = asyncio.create_task(_storm(web.port, size.logins, over))
            busy = await stage.ask(job, Arrived)
            over.set()
            rates.append(await storm)
            rounds.append({CALM: calm, STORM: busy})
            stage.progress.advance(task)
    return Report(
        benchmark="logins",
        title=f"From POST to stream while {size.logins} people log in at once, again and again",
        figures=[
            figure("logins", "/s", rates, bound=BOUND),
            *(
                figure(
                    f"notification event, {at}, {when}",
                    "ms",
                    [quantile(each[when].notification_ms, part) for each in rounds],
                    bound=bound,
                    most=MOST_MS if (when, at) == (STORM, "p99") else None,
                )
                for when in (CALM, STORM)
                for at, part, bound in (("p50", 0.5, BOUND), ("p99", 0.99, TAIL_BOUND))
            ),
        ],
        details={
            when: {"max (ms)": max(took for each in rounds for took in each[when].notification_ms)}
            for when in (CALM, STORM)
        },
        notes=["Argon2's threads and the web process share one core here, as everything of a server's does."],
    )


async def _storm(port: int, logins: int, over: asyncio.Event) -> float:
    """Log in without a pause, so many at a time; logins a second."""
    done, loop = 0, asyncio.get_running_loop()
    began = loop.time()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, limits=limits) as client:

        async def again() -> None:
            nonlocal done
            while not over.is_set():
                body = {"email": "reader@example.com", "password": SECRET}
                answer = await client.post("/v1/auth/login", json=body)
                answer.raise_for_status()
                done += 1

        await asyncio.gather(*(again() for _ in range(logins)))
    return done / (loop.time() - began)
