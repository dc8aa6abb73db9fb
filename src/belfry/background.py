"""Work beside the requests."""

import asyncio

AGAIN_AFTER = 0.2


async def end(task: asyncio.Task[None] | None) -> None:
    """Cancel a task until it has ended. Once is not always enough: a client library can lose a cancellation."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_AFTER)
