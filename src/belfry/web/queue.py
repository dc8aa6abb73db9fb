"""The send queue, for admins."""

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from redis.asyncio import Redis

from belfry.mail.queue import Queue, look
from belfry.web.languages import retold
from belfry.web.problems import NEEDS_LOGIN, documented
from db import Database


class QueueController(Controller):
    path = "/v1/queue"
    tags = ["Queue"]

    @get(responses=documented(*NEEDS_LOGIN, 403), summary="Look at the send queue")
    async def queue(
        self, db: NamedDependency[Database], whereabouts: NamedDependency[Redis], language: NamedDependency[str]
    ) -> Queue:
        """E-mails by state, how late the queue is, and what each worker is doing."""
        queue = await look(db, whereabouts)
        workers = [retold(worker, language, "reason") for worker in queue.workers]
        return msgspec.structs.replace(retold(queue, language, "reason"), workers=workers)
