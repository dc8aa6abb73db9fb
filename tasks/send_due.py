"""The job that sends: read, act, record."""

import asyncio
import logging
import random
from datetime import UTC, datetime

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from belfry.mail.smtp import LeaseLost, MailDelayed, MailError, MailUncertain, RelayUnavailable
from belfry.settings import Settings
from db.queries import deliveries
from db.queries.deliveries import Letter, Outcome, Result
from tasks.context import Context

__all__ = ["send_due"]

BATCH = 100
FIRST_DELAY = 5.0
GROWTH = 2.8  # eight tries spread over about an hour

logger = logging.getLogger("belfry.send")


async def send_due(context: Context) -> None:
    """Claim what is due, send it, record what came of it. Safe to run twice, anywhere, at any time."""
    if context.batches.locked():
        return  # the batches under way ring when they are done
    async with context.batches:
        limit = _appetite(context)
        if limit == 0:
            return
        async with context.db.begin() as tx:
            letters = await deliveries.claim(tx, limit=limit, lease_seconds=context.settings.lease_seconds)
        if len(letters) == limit:
            context.bell.ring()
        outcomes = await asyncio.gather(*(_send(context, letter) for letter in letters))
        await context.ledger.settled()
    delays = [outcome.delay for outcome in outcomes if outcome is not None and outcome.result is Result.DELAYED]
    if delays:
        context.bell.ring_in(min(delays))
    if len(letters) == limit:
        context.bell.ring()


def _appetite(context: Context) -> int:
    """How many letters to claim. While the relay is down they are better left to others, but one will tell."""
    breaker = context.mailer.breaker
    if breaker.closed:
        return BATCH
    if breaker.pause > 0:
        context.bell.ring_in(breaker.pause)
        return 0
    return 1


async def _send(context: Context, letter: Letter) -> Outcome | None:
    """Send one letter and put what came of it into the ledger. None if that is no longer ours to say."""
    outcome = Outcome(
        id=letter.id,
        lease_token=letter.lease_token,
        result=Result.UNTRIED,
        worker=context.worker,
        started_at=datetime.now(UTC),
        ended_at=datetime.now(UTC),
    )
    handed_over = False

    async def hand_over() -> bool:
        nonlocal handed_over
        handed_over = True
        return await context.stamps.hand_over(letter)

    try:
        if letter.unwanted is not None:
            outcome = msgspec.structs.replace(outcome, result=Result(letter.unwanted))
        else:
            said = await context.mailer.send(letter.email, lambda: context.letterhead.render(letter), hand_over)
            outcome = msgspec.structs.replace(outcome, result=Result.SENT, code=int(said[:3]), text=said[4:])
    except MailError as error:
        outcome = judge(outcome, error, letter.attempt, context.settings)
    except LeaseLost:
        logger.warning("delivery %d is another worker's by now; not sent", letter.id)
        return None
    except asyncio.CancelledError:
        if not handed_over:  # otherwise the lease decides: the server may have it
            context.ledger.record(outcome)
        raise
    except (SQLAlchemyError, OSError) as error:
        logger.warning("delivery %d could not be stamped (%s); not sent", letter.id, error)
    except Exception:
        logger.exception("delivery %d cannot be sent", letter.id)
        outcome = judge(
            outcome, MailDelayed("an error of ours; see the worker's log"), letter.attempt, context.settings
        )
    outcome = msgspec.structs.replace(outcome, ended_at=datetime.now(UTC))
    context.ledger.record(outcome)
    return outcome


def judge(outcome: Outcome, error: MailError, attempt: int, settings: Settings) -> Outcome:
    """What an error means for the delivery: whether there will be another try, and when."""
    delay, reason = 0.0, None
    match error:
        case RelayUnavailable():
            result = Result.RELAY_DOWN if error.tried else Result.UNTRIED
        case MailUncertain() if settings.uncertain == "hold":
            result, reason = Result.UNCERTAIN, "the server may have taken it; its reply was lost"
        case MailDelayed() if attempt < settings.attempts:
            result, delay = Result.DELAYED, random.uniform(0, FIRST_DELAY * GROWTH ** (attempt - 1))  # noqa: S311
        case MailDelayed():
            result, reason = Result.REFUSED, f"gave up after {attempt} tries; the last: {error}"
        case _:
            result, reason = Result.REFUSED, str(error)
    return msgspec.structs.replace(outcome, result=result, delay=delay, code=error.code, text=error.text, reason=reason)
