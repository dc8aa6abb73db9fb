"""As many requests as are answered: each connection sends the next one when it has its answer."""

import asyncio
from itertools import cycle
from time import perf_counter

import msgspec

from tests.bench.client.processors import Meter
from tests.bench.client.wire import Answers, Unexpected


class Load(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """`seconds` are measured after the first `warm_up`."""

    port: int
    requests: list[str]
    seconds: float
    warm_up: float
    expect: int
    watched: dict[str, int]
    connections: int = 32


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """`busy` is in cores, by process."""

    answers: int
    seconds: float
    median_ms: float
    p99_ms: float
    busy: dict[str, float]

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds


class _Sender(Answers):
    def __init__(self, run: "_Run") -> None:
        super().__init__()
        self._run = run
        self._sent_at = 0.0

    def send(self) -> None:
        self._sent_at = perf_counter()
        self.transport.write(next(self._run.requests))

    def answered(self, status: int, body: bytes) -> None:
        self._run.took.append(perf_counter() - self._sent_at)
        if status != self._run.expect:
            self._run.fail(f"{status} {body[:500]!r}")
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.fail(f"a connection ended: {exc}")


class _Run:
    def __init__(self, load: Load) -> None:
        self.requests = cycle([request.encode() for request in load.requests])
        self.expect = load.expect
        self.took: list[float] = []
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, what: str) -> None:
        if not self.failed.done():
            self.failed.set_exception(Unexpected(what))

    async def pause(self, seconds: float) -> None:
        await asyncio.wait([self.failed], timeout=seconds)
        if self.failed.done():
            self.failed.result()


async def carry(load: Load) -> Carried:
    run = _Run(load)
    loop = asyncio.get_running_loop()
    for _ in range(load.connections):
        _, sender = await loop.create_connection(lambda: _Sender(run), "127.0.0.1", load.port)
        sender.send()
    await run.pause(load.warm_up)
    meter = Meter(load.watched).start()
    run.took = []
    began = perf_counter()
    while not run.took:  # once, unless this machine is hardly there
        await run.pause(load.seconds)
    seconds, took = perf_counter() - began, sorted(run.took)
    return Carried(
        answers=len(took),
        seconds=seconds,
        median_ms=took[len(took) // 2] * 1e3,
        p99_ms=took[len(took) * 99 // 100] * 1e3,
        busy=meter.stop(),
    )
