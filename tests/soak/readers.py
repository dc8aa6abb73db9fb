"""Those who have streams open: they look at their inbox, and mark what they find there."""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

from tests.realtime.returning import Login
from tests.soak.evidence import How, Listed, Marked
from tests.soak.plan import Plan
from tests.soak.requests import Requests

PAUSE = 0.7
SHOWN = 20
HOWS: list[How] = ["read", "read", "unread", "delete"]


class Reader:
    """One request at a time, so that what was said last is what must stand."""

    def __init__(self, login: Login, plan: Plan, requests: Requests) -> None:
        self.marked: list[Marked] = []
        self.listed: list[Listed] = []
        self._login = login
        self._requests = requests
        self._rng = plan.random(f"reader {login.email}")

    async def run(self, over: Callable[[], bool]) -> None:
        while not over():
            how, many, through = self._rng.choice(HOWS), self._rng.randint(1, 5), self._rng.random()
            ranks = sorted(self._rng.sample(range(SHOWN), many))
            page = await self._requests.once(self._login, "GET", f"/v1/notifications?page_size={SHOWN}", tries=[])
            if page is not None:
                shown = [item["id"] for item in page["items"]]
                self.listed.append(Listed(at=time.time(), user=self._login.user_id, ids=shown))
                await self._mark(how, [shown[rank] for rank in ranks if rank < len(shown)], through)
            await asyncio.sleep(random.expovariate(1 / PAUSE))

    async def _mark(self, how: How, ids: list[int], through: float) -> None:
        if not ids:
            return
        body: dict[str, Any] = {"ids": ids}
        marked = Marked(user=self._login.user_id, how=how, ids=ids)
        if how != "unread" and through < 0.1:
            marked = Marked(user=self._login.user_id, how=how, through=ids[-1])
            body = {"through": ids[-1]}
        self.marked.append(marked)
        await self._requests.until_answered(self._login, f"/v1/notifications/{how}", tries=marked.tries, body=body)
