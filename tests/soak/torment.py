"""Doing what is dealt, and writing it down."""

import asyncio
import random
import time
from collections.abc import Callable

from tests.soak.evidence import Hurt
from tests.soak.faults import Fault, deals
from tests.soak.plan import Plan
from tests.soak.scene import Scene


class Torment:
    def __init__(self, scene: Scene, plan: Plan, *, say: Callable[[str], None]) -> None:
        self.hurts: list[Hurt] = []
        self._scene = scene
        self._plan = plan
        self._say = say

    async def run(self) -> None:
        """Hurt and heal until the time is over. In the end everything runs."""
        until = time.time() + self._plan.seconds
        for deal in deals(self._plan):
            if time.time() >= until:
                return
            async with asyncio.TaskGroup() as group:
                for fault, rng, part in deal.faults:
                    group.create_task(self._do(fault, rng, part))
            await asyncio.sleep(_within(self._plan.calm, deal.calm))

    async def _do(self, fault: Fault, rng: random.Random, part: float) -> None:
        act = fault.prepare(self._scene, self._plan, rng)
        hurt = Hurt(name=fault.name, group=fault.group, target=act.target, began=time.time())
        self.hurts.append(hurt)
        try:
            await act.do()
            if act.heal is not None:
                await asyncio.sleep(_within(self._plan.hold, part) if act.lasts is None else act.lasts)
        finally:
            if act.heal is not None:
                await act.heal()
            hurt.ended = time.time()
        self._say(f"{fault.name}: {act.target}, {hurt.ended - hurt.began:.1f} s")


def _within(bounds: tuple[float, float], part: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * part
