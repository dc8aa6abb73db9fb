"""The generator's process: takes jobs from standard input until it ends, and answers on standard output.

It stands for people elsewhere, so it yields to the servers that share its core: `nice`.
"""

import asyncio
import gc
import os
import sys
from itertools import cycle
from time import perf_counter

import msgspec
import uvloop

from tests.bench.streams.generator.crowd import Crowd, open_stream
from tests.bench.streams.generator.jobs import (
    Answer,
    Ask,
    Churn,
    Churned,
    Close,
    Closed,
    Drip,
    Fan,
    Flood,
    Job,
    Look,
    Open,
    Opened,
    Return,
    Returned,
)
from tests.bench.streams.generator.publishing import ask, drip, fan, flood

NICE = 5


async def do(job: Job, crowd: Crowd) -> Answer:
    match job:
        case Open():
            seconds = await crowd.open(job)
            gc.collect()
            gc.freeze()
            return Opened(streams=len(crowd.streams), seconds=seconds)
        case Return():
            began = perf_counter()
            took = await crowd.come_back(job.port)
            return Returned(seconds=perf_counter() - began, took=took)
        case Fan():
            return await fan(crowd, job)
        case Flood():
            return await flood(crowd, job)
        case Drip():
            return await drip(crowd, job)
        case Ask():
            return await ask(crowd, job)
        case Churn():
            return await churn(job)
        case Look():
            return crowd.look()
        case Close():
            await crowd.close()
            return Closed()


async def churn(job: Churn) -> Churned:
    requests = cycle(job.requests)
    ends = perf_counter() + job.seconds
    streams = 0

    async def some() -> None:
        nonlocal streams
        while perf_counter() < ends:
            (await open_stream(Crowd(), job.port, next(requests))).vanish()
            streams += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(job.in_flight):
            group.create_task(some())
    return Churned(streams=streams)


async def serve() -> None:
    crowd = Crowd()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while size := await reader.read(4):
        job = msgspec.json.decode(await reader.readexactly(int.from_bytes(size, "big")), type=Job)
        answer = msgspec.json.encode(await do(job, crowd))
        sys.stdout.buffer.write(len(answer).to_bytes(4, "big") + answer)
        sys.stdout.buffer.flush()


def main() -> None:
    os.sched_setaffinity(0, map(int, sys.argv[1].split(",")))
    os.nice(NICE)
    uvloop.run(serve())


if __name__ == "__main__":
    main()
