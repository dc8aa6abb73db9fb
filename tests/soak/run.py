"""One soak from beginning to end: set the scene, hurt it under load, let it heal, and gather the evidence."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from tests.realtime.raw import eventually
from tests.soak import database
from tests.soak.evidence import Evidence
from tests.soak.listeners import Listener
from tests.soak.people import people
from tests.soak.plan import Plan
from tests.soak.readers import Reader
from tests.soak.requests import ANSWER_SECONDS, Requests
from tests.soak.scene import WEBS, Scene, staged
from tests.soak.senders import Sender
from tests.soak.torment import Torment

ANSWERED_SECONDS = 60.0  # for requests that still wait for their answer when all is healed
GLANCE = 0.2

Say = Callable[[str], None]


async def soak(plan: Plan, log: Path, *, say: Say) -> Evidence:
    """Run a plan. `log` takes what the processes print."""
    with log.open("wb", buffering=0) as output:
        async with staged(plan, output) as scene:
            return await _soak(plan, scene, say=say)


async def _soak(plan: Plan, scene: Scene, *, say: Say) -> Evidence:
    everybody = await people(scene.db, scene.settings, plan)
    listeners = [Listener(login, scene.urls, first=first) for login in everybody.shown for first in range(WEBS)]
    torment = Torment(scene, plan, say=say)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, limits=limits) as client:
        requests = Requests(client, scene.urls)
        senders = [Sender(number, everybody, plan, requests) for number in range(plan.senders)]
        readers = [Reader(login, plan, requests) for login in everybody.shown]
        async with _running([listener.run() for listener in listeners]):
            await eventually(lambda: all(listener.heard.told for listener in listeners), within=30)
            over = asyncio.Event()
            work = [*(sender.run for sender in senders), *(reader.run for reader in readers)]
            traffic = [asyncio.create_task(run(over.is_set)) for run in work]
            try:
                await torment.run()
                healed = time.time()
                over.set()
                say("all healed; waiting for answers, mails and events")
                _, waiting = await asyncio.wait(traffic, timeout=ANSWERED_SECONDS)
                say(f"{len(waiting)} still wait for an answer")
            finally:
                for task in traffic:
                    task.cancel()
                await asyncio.gather(*traffic, return_exceptions=True)
            for task in traffic:
                if not task.cancelled():
                    task.result()
            mail, streams = await asyncio.gather(
                _seconds(healed, plan.mail_seconds, lambda: _mail_is_out(scene)),
                _seconds(healed, plan.event_seconds, lambda: _streams_are_there(scene, listeners)),
            )
    evidence = Evidence(
        hurts=torment.hurts,
        sent=[each for sender in senders for each in sender.sent],
        marked=[each for reader in readers for each in reader.marked],
        listed=[each for reader in readers for each in reader.listed],
        stopped=scene.stopped,
        died=scene.died,
        copies=scene.sink.copies,
        heard=[listener.heard for listener in listeners],
        healed=healed,
        mail_seconds=mail,
        stream_seconds=streams,
    )
    await database.read(scene.db, evidence)
    return evidence


async def _seconds(since: float, most: float, done: Callable[[], Awaitable[bool]]) -> float | None:
    """How long it took until `done` said so; None if it did not within `most` seconds of now."""
    with suppress(TimeoutError):
        async with asyncio.timeout(most):
            while not await done():  # noqa: ASYNC110 - nobody could tell us
                await asyncio.sleep(GLANCE)
            return time.time() - since
    return None


async def _mail_is_out(scene: Scene) -> bool:
    return await database.unfinished(scene.db) == 0


async def _streams_are_there(scene: Scene, listeners: list[Listener]) -> bool:
    at = await database.positions(scene.db, [listener.login.user_id for listener in listeners])
    final = {user: (box.modseq, box.broadcast_modseq) for user, box in at.items()}
    return all(listener.heard.told[-1].position == final[listener.login.user_id] for listener in listeners)


@asynccontextmanager
async def _running(work: list[Awaitable[None]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
