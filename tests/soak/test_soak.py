"""A short soak in the suite; `just soak` is the long one."""

from itertools import islice
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from tests.realtime.returning import Login
from tests.soak.faults import FAULTS, deals
from tests.soak.people import People
from tests.soak.plan import quick
from tests.soak.report import keep, show
from tests.soak.requests import Requests
from tests.soak.run import soak
from tests.soak.senders import Sender
from tests.soak.verdict import judge

SEED = 102
GROUPS = {"web", "worker", "queue", "events", "postgres", "smtp"}


@pytest.mark.timeout(420)
async def test_nothing_is_lost_whatever_is_hurt(tmp_path: Path) -> None:
    plan = quick(SEED)
    evidence = await soak(plan, tmp_path / "soak.log", say=print)
    broken = judge(evidence, plan)
    show(evidence, broken, plan, Console(width=120))
    keep(evidence, broken, plan, tmp_path / "soak.json")

    assert broken == [], f"see {tmp_path}"
    assert {hurt.group for hurt in evidence.hurts} == GROUPS
    assert len(evidence.hurts) >= 30
    assert sum(sent.accepted for sent in evidence.sent) >= 600
    assert len(evidence.copies) >= 600


def test_the_seed_makes_the_faults() -> None:
    def dealt(seed: int) -> list[tuple[list[tuple[str, float, float]], float]]:
        return [
            ([(fault.name, rng.random(), part) for fault, rng, part in deal.faults], deal.calm)
            for deal in islice(deals(quick(seed)), 200)
        ]

    assert dealt(1) == dealt(1) != dealt(2)
    assert {name for faults, _ in dealt(1) for name, _, _ in faults} == {fault.name for fault in FAULTS}


async def test_the_seed_makes_the_requests() -> None:
    logins = [Login(number, f"{number}@example.com", "token") for number in range(1, 30)]
    requests = Requests(httpx.AsyncClient(), [])

    def said(seed: int) -> list[tuple[object, ...]]:
        sender = Sender(1, People(logins[:10], logins[10:]), quick(seed), requests)
        errands = [sender.next() for _ in range(200)]
        return [(errand.login.user_id, errand.sent.path, errand.body, errand.repeated) for errand in errands]

    assert said(1) == said(1) != said(2)
    assert len({path for _, path, _, _ in said(1)}) == 3
