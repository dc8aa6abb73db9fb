"""Clients that never read, seen from outside: their process gets back what they took."""

from contextlib import AsyncExitStack

import msgspec
import pytest

from belfry.realtime.hub import RECENT
from belfry.settings import Settings
from db import Database
from tests.bench.streams.crew import memory_kb
from tests.people import Person
from tests.processes import open_files, web
from tests.realtime.raw import eventually_yes, raw_stream

LONG = "\u20ac" * 19_000  # 57 KB; some sixty of them fill every buffer of the kernel
MANY = 80
TINY = 2_048
STUCK = 30
ROUNDS = 4
LAGGING, BEAT = 1.0, 0.5
SLOW_MACHINE = 5.0
CUT_WITHIN = 60.0
LEAK_KB = 64  # what is buffered for a stream at least when it is cut


async def streams(person: Person) -> int:
    return int((await person.get("/health/ready"))["streams"])


async def none_left(person: Person) -> bool:
    return await streams(person) == 0


@pytest.mark.slow
async def test_many_that_never_read_are_cut_and_leave_neither_memory_nor_files(
    settings: Settings, db: Database, ada: Person, bob: Person
) -> None:
    usual = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    assert usual["lagging_seconds"] + usual["heartbeat_seconds"] < CUT_WITHIN
    impatient = msgspec.structs.replace(
        settings, lagging_seconds=LAGGING, heartbeat_seconds=BEAT, streams_per_user=STUCK
    )
    files, memory = [], []
    async with web(impatient) as process:
        there, busy = bob.at(process.url), ada.at(process.url)
        for _ in range(RECENT):  # it keeps so many, for streams that join in between
            await busy.broadcast(content=LONG)
        for _ in range(ROUNDS):
            async with AsyncExitStack() as stack:
                for _ in range(STUCK):
                    slow = await stack.enter_async_context(raw_stream(there, receive_buffer=TINY))
                    await slow.until(lambda received: b"event: open" in received)
                assert await streams(busy) == STUCK
                for _ in range(MANY):
                    await busy.broadcast(content=LONG)
                await eventually_yes(lambda: none_left(busy), within=LAGGING + BEAT + SLOW_MACHINE)
                files.append(open_files(process.pid))
                memory.append(memory_kb(process.pid))
        for person in (there, busy):
            await person.client.aclose()
    print(f"after each round: {files} files, {memory} KB")
    assert files[-1] - files[0] < STUCK  # connections to the database come and go
    # The first round is not the measure: what it freed, its process keeps for the next one.
    assert memory[-1] - memory[1] < STUCK * (ROUNDS - 2) * LEAK_KB
