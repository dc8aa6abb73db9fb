"""Different requests in turn on one connection, so that whatever the machine does, it does to all of them."""

import asyncio
import random
from time import perf_counter

import msgspec

from tests.bench.client.wire import Asking


class InTurn(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Each request `repeats` times, in an order that is drawn anew each time round."""

    port: int
    requests: dict[str, str]
    repeats: int
    warm_up: int
    expect: int


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds, by the name of the request."""

    ms: dict[str, list[float]]


async def take_turns(job: InTurn) -> Took:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Asking(job.expect), "127.0.0.1", job.port)
    requests = [(name, request.encode()) for name, request in job.requests.items()]
    ms: dict[str, list[float]] = {name: [] for name in job.requests}
    draw = random.Random(1)
    for turn in range(job.warm_up + job.repeats):
        draw.shuffle(requests)
        for name, request in requests:
            began = perf_counter()
            await connection.ask(request)
            if turn >= job.warm_up:
                ms[name].append((perf_counter() - began) * 1e3)
    return Took(ms=ms)
