"""The client's process: reads one job as JSON, does it, prints what came of it. Imports little, to start at once."""

import os
import sys

import msgspec
import uvloop

from tests.bench.client.in_turn import InTurn, Took, take_turns
from tests.bench.client.load import Carried, Load, carry
from tests.bench.client.paced import Arrived, Paced, pace


async def do(job: Load | InTurn | Paced) -> Carried | Took | Arrived:
    match job:
        case Load():
            return await carry(job)
        case InTurn():
            return await take_turns(job)
        case Paced():
            return await pace(job)


def main() -> None:
    os.sched_setaffinity(0, map(int, sys.argv[1].split(",")))
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Load | InTurn | Paced)
    print(msgspec.json.encode(uvloop.run(do(job))).decode())


if __name__ == "__main__":
    main()
