"""Schemathesis against a running Belfry: requests drawn from its OpenAPI document, every answer held against it."""

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from belfry.settings import Settings

CONFIG = Path(__file__).parent / "schemathesis.toml"
ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("schemathesis")
DATABASE, SECRET = "FUZZ_DATABASE_URL", "FUZZ_SECRET_KEY"  # how its process is told of them


class Cases(msgspec.Struct, frozen=True):
    generated: int
    unique_failures: int
    errored: int


class Operations(msgspec.Struct, frozen=True):
    total: int
    tested: int


class Failures(msgspec.Struct, frozen=True):
    title: str
    count: int
    operations: list[str]


class Rate(msgspec.Struct, frozen=True):
    """How requests fared that ought to be accepted; `unreachable` were refused for who asked, or found nothing."""

    accepted: int
    unreachable: int
    conflicts: int
    rejected: int


class Report(msgspec.Struct, frozen=True):
    """What a run says of itself; `running_time` is in seconds, `valid_rates` by operation and phase."""

    seed: int
    running_time: float
    exit_code: int
    operations: Operations
    test_cases: Cases
    failures: list[Failures]
    valid_rates: dict[str, dict[str, Rate]]


async def fuzz(url: str, settings: Settings, directory: Path, *, seed: int, options: list[str]) -> tuple[Report, str]:
    """Run to the end, with all checks: naming them would overrule what the configuration says of single routes.

    Returns the report, and what was said, with how to repeat each failure.
    """
    report, said = directory / "fuzz.json", directory / "fuzz.log"
    with said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(str(COMMAND), "--config-file", str(CONFIG), "run", f"{url}/schema"),
            *("--seed", str(seed), "--no-color", "--continue-on-failure", "--request-timeout", "30"),
            *("--report", "json", "--report-json-path", str(report), *options),
            cwd=ROOT,
            env=os.environ
            | {DATABASE: settings.database_url, SECRET: settings.secret_key, "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
    assert report.exists(), said.read_text()
    return msgspec.json.decode(report.read_bytes(), type=Report), said.read_text()


def unlimited(settings: Settings) -> Settings:
    """Without what would answer the fuzzer with 429 or 403 and nothing else: limits, and having to confirm."""
    return msgspec.structs.replace(
        settings,
        login_failures_per_account=0,
        login_failures_per_address=0,
        registrations_per_address=0,
        sends_per_member=0,
        security_mails_per_recipient=0,
        security_mails_per_address=0,
        confirmed_seconds=24 * 3600,
        access_token_seconds=24 * 3600,
    )
