"""The public job: any program that reaches Redis may say something to everyone. docs/jobs.md shows how."""

import logging
from typing import Any

from belfry.errors import BadInput, FieldError, Problem
from belfry.intake import fields
from belfry.intake.decoding import convert
from belfry.intake.fields import Body
from belfry.sending import broadcasts
from belfry.sending.messages import NamedBroadcast
from db.models import Action
from db.queries import audit
from tasks.context import Context

__all__ = ["broadcast", "discard"]

QUEUE = "the queue"
LONGEST_ID = 64  # of a job, as the audit shows it: whoever enqueued it chose it
MOST_ERRORS = 20
LONGEST_ERROR = 200

logger = logging.getLogger("belfry.broadcast")


class BroadcastJob(Body, frozen=True, kw_only=True):
    """The arguments of the job. The same key again, within 48 hours, broadcasts nothing again."""

    request: NamedBroadcast
    key: fields.Key


async def broadcast(context: Context, job_id: str, arguments: list[Any], named: dict[str, Any]) -> None:
    """Do what `POST /v1/broadcasts` does. What is wrong with it is told in the audit, and nowhere else."""
    try:
        given = _by_name(arguments, named)
        if isinstance(given.get("request"), dict):
            convert(given["request"], NamedBroadcast)  # first, so that its fields are named as over HTTP
        job = convert(given, BroadcastJob)
        async with context.db.begin() as tx:
            _, published = await broadcasts.accept_named(
                tx, job.request, key=job.key, default_sender=context.settings.broadcast_sender, by="job"
            )
    except Problem as problem:
        logger.warning("refused a broadcast from the queue; the audit says why")
        errors = [{"field": _short(each.field), "message": _short(each.message)} for each in problem.errors]
        async with context.db.begin() as tx:
            await audit.record(
                tx,
                Action.BROADCAST_REFUSED,
                actor=QUEUE,
                subject=f"job {job_id[:LONGEST_ID]}",
                errors=errors[:MOST_ERRORS],
            )
        return
    published.tell(context.announcer, context.bell)


async def discard(context: Context, job_id: str, *_: object) -> None:
    """Note that something in the queue was not a job: pickled, forged, or garbage. It was not looked at further."""
    logger.warning("discarded what was in the queue and is no job of ours; nothing of it was run")
    async with context.db.begin() as tx:
        await audit.record(
            tx,
            Action.JOB_DISCARDED,
            actor=QUEUE,
            subject=f"job {job_id[:LONGEST_ID]}",
            reason="not a job of ours in JSON; was it enqueued without the job_serializer?",
        )


def _by_name(arguments: list[Any], named: dict[str, Any]) -> dict[str, Any]:
    names = BroadcastJob.__struct_fields__
    if len(arguments) > len(names):
        raise BadInput(FieldError("arguments", f"expected {' and '.join(names)}, and nothing more"))
    return named | dict(zip(names, arguments, strict=False))


def _short(text: str) -> str:
    return text[:LONGEST_ERROR]
