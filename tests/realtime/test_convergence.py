"""Whatever happens at once and however a stream is cut: its client ends with the list and the badge the API shows."""

import os
import random
from contextlib import AsyncExitStack

import msgspec

from belfry.settings import Settings
from db import Database
from tests.realtime import history
from tests.realtime.walk import Walk
from tests.serving import Serving, serving

SEEDS = os.environ.get("BELFRY_TEST_SEEDS", "")  # "7" or "1-200"; without it, a few at random
RUNS = 4


def seeds() -> list[int]:
    if not SEEDS:
        return random.sample(range(2**32), RUNS)
    first, _, last = SEEDS.partition("-")
    return list(range(int(first), int(last or first) + 1))


async def test_clients_end_with_what_the_database_holds(belfry: Serving, settings: Settings, db: Database) -> None:
    # the second process has no cache, so that a page from it is what the first one's cache must equal
    other = msgspec.structs.replace(settings, page_cache=False)
    async with history.kept(db), serving(other) as second:
        for seed in seeds():
            try:
                async with AsyncExitStack() as stack:
                    walk = Walk(seed, [belfry, second], stack)
                    await walk.run(people=3, steps=10)
                    await walk.check()
                await history.check_counters(db)
            except BaseException as error:
                error.add_note(f"BELFRY_TEST_SEEDS={seed}")
                raise
