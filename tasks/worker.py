"""The worker: arq runs the jobs, PostgreSQL says what there is to do."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC
from typing import Any, Literal, cast

import arq
from arq.cron import cron
from arq.typing import WorkerCoroutine
from arq.worker import Retry
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from belfry import log
from belfry.background import end
from belfry.sending.bell import (
    ARRIVE,
    BROADCAST,
    DISCARD,
    EXPAND,
    QUEUE,
    RETIRE,
    RUN_SCHEDULES,
    SEND_DUE,
    SWEEP,
    connect_queue,
    decode_job,
    encode_job,
)
from belfry.settings import Settings
from db import is_passing
from tasks.arrive import arrive
from tasks.broadcast import broadcast, discard
from tasks.context import Context, open_context
from tasks.expand import expand
from tasks.retention import retire
from tasks.schedules import run_schedules
from tasks.send_due import send_due
from tasks.sweep import sweep

__all__ = ["create_worker", "run"]

POLL_SECONDS = 0.02
JOBS = 20
READ_LIMIT = 1000  # ids that crashed workers left behind stand before the fresh ones in what arq reads at a time
AGAIN_SECONDS = 10
TRIES = 24 * 3600 // AGAIN_SECONDS  # arq lets a job expire after a day
FINISH_SECONDS = 20.0  # for mail in flight after a signal; with the ledger's closing it stays under 30
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0

JOB_ID = re.compile(rb"[A-Za-z0-9_.:-]{1,64}")  # ours are shorter; those of others get this much

logger = logging.getLogger("belfry.worker")


class Worker(arq.Worker):
    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Start what can be a job. arq would end at an id that is not text, and write any other to the log."""
        garbage = [job_id for job_id in job_ids if not JOB_ID.fullmatch(job_id)]
        if garbage:
            logger.error("discarded %d ids from the queue that no job can have", len(garbage))
            await self.pool.zrem(self.queue_name, *garbage)
        await super().start_jobs([job_id for job_id in job_ids if JOB_ID.fullmatch(job_id)])


def create_worker(context: Context) -> Worker:
    """An arq worker for as long as Redis stays; `run` makes the next."""
    settings = context.settings
    return Worker(
        [
            _job(SEND_DUE, context, send_due),
            _job(EXPAND, context, expand),
            _job(ARRIVE, context, arrive),
            _kept_job(BROADCAST, context, broadcast),
            _kept_job(DISCARD, context, discard),
        ],
        cron_jobs=[
            cron(
                _job(SWEEP, context, sweep).coroutine,
                name=SWEEP,
                second=set(range(0, 60, min(settings.sweep_seconds, 60))),
                microsecond=0,
                run_at_startup=True,
            ),
            cron(_job(RUN_SCHEDULES, context, run_schedules).coroutine, name=RUN_SCHEDULES, second=0, microsecond=0),
            cron(_job(RETIRE, context, retire).coroutine, name=RETIRE, minute=17, second=0, microsecond=0),
        ],
        redis_pool=connect_queue(settings.redis_url),
        queue_name=QUEUE,
        job_serializer=encode_job,
        job_deserializer=decode_job,
        keep_result=0,
        poll_delay=POLL_SECONDS,
        queue_read_limit=READ_LIMIT,
        max_jobs=JOBS,
        job_timeout=settings.lease_seconds * 0.9,
        health_check_interval=15,
        handle_signals=False,
        log_results=False,
        timezone=UTC,
    )


def _job(name: str, context: Context, work: Callable[..., Awaitable[None]]) -> arq.worker.Function:
    async def job(ctx: dict[Any, Any], *given: int) -> None:
        log.about(job=name, job_id=ctx["job_id"])
        try:
            with context.status.doing(name):
                await work(context, *given)
        except SQLAlchemyError as error:
            if not is_passing(error):
                _failed(name, error)
            else:
                logger.error("%s: PostgreSQL is unavailable (%s); the sweep will repeat it", name, _kind(error))
        except Exception as error:
            _failed(name, error)

    return arq.func(cast(WorkerCoroutine, job), name=name)


def _kept_job(
    name: str, context: Context, work: Callable[[Context, str, list[Any], dict[str, Any]], Awaitable[None]]
) -> arq.worker.Function:
    """A job from others. It is the only record of what it asks for, so it waits in the queue for PostgreSQL."""

    async def job(ctx: dict[Any, Any], /, *given: Any, **named: Any) -> None:
        log.about(job=name, job_id=ctx["job_id"])
        try:
            await work(context, str(ctx["job_id"]), list(given), named)
        except (SQLAlchemyError, OSError) as error:  # TimeoutError is an OSError
            logger.error("%s: PostgreSQL did not take it (%s); again soon", name, _kind(error))
            raise Retry(defer=AGAIN_SECONDS) from None
        except Exception as error:
            _failed(name, error)

    return arq.func(cast(WorkerCoroutine, job), name=name, max_tries=TRIES)


def _failed(name: str, error: Exception) -> None:
    """Note a defect of ours. arq would not try again either, and would put the exception's words into the log."""
    logger.error("%s failed", name, exc_info=error)


def _kind(error: Exception) -> str:
    return type(error).__name__


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until told to stop, whatever becomes of Redis and PostgreSQL meanwhile. Mail in flight is finished."""
    async with open_context(settings) as context:
        logger.info("worker %s is at work", context.worker)
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: context.hand.close(within=FINISH_SECONDS))
        pause = FIRST_PAUSE
        while not stop.is_set():
            worker = create_worker(context)
            error = await _until_it_ends(context, worker, stopping)
            if error is None:
                break
            if isinstance(error, RedisError | OSError):
                logger.warning("Redis is unavailable (%s); working without it meanwhile", _kind(error))
            else:
                logger.error("the worker failed; making a new one", exc_info=error)
            pause = FIRST_PAUSE if worker.jobs_complete else min(pause * 2, LONGEST_PAUSE)
            await _work_without_redis(context, stopping)
            await asyncio.wait({stopping}, timeout=pause)
        stopping.cancel()
        await context.hand.empty()
        logger.info("worker %s has finished", context.worker)


async def _until_it_ends(
    context: Context, worker: Worker, stopping: asyncio.Task[Literal[True]]
) -> BaseException | None:
    """Run until Redis fails (returned) or `stopping` is done (None); either way the jobs under way are let finish."""
    running = asyncio.create_task(worker.async_run(), name="arq")
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(running)
        await _let_finish(context, worker.tasks.values())  # none is added now that the loop that starts them has ended
        await asyncio.gather(running, return_exceptions=True)
        await worker.pool.aclose()
    return None if stopping.done() or running.cancelled() else running.exception()


async def _work_without_redis(context: Context, stopping: asyncio.Task[Literal[True]]) -> None:
    """One round straight from PostgreSQL. It is slower than being rung for, but mail goes out."""
    work = asyncio.create_task(_round(context))
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    await _let_finish(context, {work})


async def _round(context: Context) -> None:
    try:
        await sweep(context)
        await send_due(context)
    except (SQLAlchemyError, OSError) as error:
        logger.warning("PostgreSQL is unavailable too (%s)", _kind(error))


async def _let_finish(context: Context, jobs: Iterable[asyncio.Task[Any]]) -> None:
    """Let jobs finish, which claim no more. Those that take too long are cut off."""
    context.hand.finish()
    if under_way := set(jobs):
        _, late = await asyncio.wait(under_way, timeout=FINISH_SECONDS)
        await asyncio.gather(*(end(job) for job in late))
        await asyncio.gather(*under_way, return_exceptions=True)
