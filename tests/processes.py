"""Belfry's commands as real processes."""

import asyncio
import os
import sys

from belfry.settings import Settings


async def belfry_command(settings: Settings, *arguments: str, stdin: str = "", **env: str) -> tuple[int, str, str]:
    """Run `belfry ...` to its end: exit code, standard output, standard error."""
    given = {
        "BELFRY_DATABASE_URL": settings.database_url,
        "BELFRY_REDIS_URL": settings.redis_url,
        "BELFRY_SECRET_KEY": settings.secret_key,
        "PATH": os.environ["PATH"],
        "COLUMNS": "200",
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "belfry", *arguments), stdin=pipe, stdout=pipe, stderr=pipe, env=given | env
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()
