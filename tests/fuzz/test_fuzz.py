"""Whatever is sent that the OpenAPI document allows or forbids, the answer is one that it describes; a short run."""

from pathlib import Path

import pytest

from belfry.settings import Settings
from tests.fuzz.run import fuzz, unlimited
from tests.serving import Serving

SEED = 102
EXAMPLES = 1
PHASES = "examples,coverage,fuzzing"  # `just soak fuzz` goes on from one answer to the next request as well
PART_ACCEPTED = 0.75


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return unlimited(settings)


async def test_every_answer_is_as_documented(belfry: Serving, tmp_path: Path) -> None:
    options = ["--generation-deterministic", "--max-examples", str(EXAMPLES), "--phases", PHASES]
    report, said = await fuzz(belfry.url, belfry.settings, tmp_path, seed=SEED, options=options)

    assert (report.exit_code, report.failures) == (0, []), said
    assert report.operations.tested == report.operations.total >= 49
    assert report.test_cases.generated > 2_000
    reached = [any(rate.accepted for rate in phases.values()) for phases in report.valid_rates.values()]
    assert sum(reached) >= PART_ACCEPTED * len(reached), said
