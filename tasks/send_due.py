"""The job that sends: read, act, record."""

import asyncio
import logging
import random
from datetime import UTC, datetime
from functools import partial

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from belfry import log
from belfry.mail.errors import LeaseLost, MailDelayed, MailError, MailUncertain, NoSuchMailbox, RelayUnavailable, Spared
from belfry.settings import Settings
from db.queries import deliveries, expansions
from db.queries.deliveries import Letter, Outcome, Result
from tasks.context import Context

__all__ = ["send_due"]

FIRST_DELAY = 5.0
GROWTH = 2.8  # eight tries spread over about an hour
RECORDED = 0.5  # seconds after which an outcome has been written down

UNWANTED = {
    "cancelled": (Result.CANCELLED, expansions.CANCELLED),  # a personal one is cancelled in its own row, not claimed
    "expired": (Result.EXPIRED, "it was not to be sent after `expires_at`, and was not sent by then"),
    "void": (Result.EXPIRED, "its link had been used or made void, or its time was over"),
    "unverified": (Result.SUPPRESSED, "the address is not verified"),
    "disabled": (Result.CANCELLED, "the recipient's account is disabled"),
    "suppressed": (Result.SUPPRESSED, "the address is suppressed"),
}

logger = logging.getLogger("belfry.send")


async def send_due(context: Context) -> None:
    """Claim what is due, send it, record what came of it. Safe to run twice, anywhere, at any time."""
    hand = context.hand
    hand.ring()
    if hand.busy:
        return
    async with hand:
        while limit := _appetite(context, await hand.room()):
            async with context.db.statement() as tx:
                letters = await deliveries.claim(
                    tx,
                    limit=limit,
                    lease_seconds=context.settings.lease_seconds,
                    worker=context.worker,
                    verified=context.settings.require_verified_email,
                )
            for letter in letters:
                hand.take(partial(_send, context, letter), give_back=partial(_give_back, context, letter))
            if len(letters) == limit:  # there may be more
                hand.ring()
                if hand.others_wanted():
                    context.bell.ring()
            if not context.mailer.breaker.closed:
                await hand.empty()  # that one letter will tell
    await context.ledger.settled()
    if hand.rung:
        context.bell.ring()


def _appetite(context: Context, room: int) -> int:
    """How many letters to claim. While the relay is down they are better left to others, but one will tell."""
    breaker, pace = context.mailer.breaker, context.mailer.pace
    if pause := max(breaker.pause, pace.pause if pace else 0.0):
        context.bell.ring_in(pause)
        return 0
    if not breaker.closed:
        return min(room, 1)
    return min(room, pace.appetite) if pace else room


def _give_back(context: Context, letter: Letter) -> None:
    context.ledger.record(_untried(context, letter))


def _untried(context: Context, letter: Letter) -> Outcome:
    return Outcome(
        id=letter.id,
        lease_token=letter.lease_token,
        result=Result.UNTRIED,
        worker=context.worker,
        started_at=datetime.now(UTC),
        ended_at=datetime.now(UTC),
        broadcast_id=letter.notification_id if letter.broadcast else None,
    )


async def _send(context: Context, letter: Letter) -> None:
    """Send one letter and put what came of it into the ledger, unless that is no longer ours to say."""
    log.about(delivery_id=letter.id, notification_id=letter.notification_id, user_id=letter.user_id)
    outcome = _untried(context, letter)
    handed_over = False

    async def hand_over() -> bool:
        nonlocal handed_over
        handed_over = True
        return await context.stamps.hand_over(letter)

    try:
        if letter.unwanted is not None:
            result, reason = UNWANTED[letter.unwanted]
            outcome = msgspec.structs.replace(outcome, result=result, reason=letter.suppression or reason)
        else:
            said = await context.mailer.send(letter.email, lambda: context.letterhead.render(letter), hand_over)
            outcome = msgspec.structs.replace(outcome, result=Result.SENT, code=int(said[:3]), text=said[4:])
    except MailError as error:
        outcome = judge(outcome, error, letter.attempt, context.settings)
    except LeaseLost:
        # Another worker has it, and then this changes nothing; or it is not wanted any more: the next claim finds out.
        logger.warning("delivery %d is not to be sent any more", letter.id)
        context.ledger.record(outcome)
        return
    except asyncio.CancelledError:
        if not handed_over:  # otherwise the lease decides: the server may have it
            context.ledger.record(outcome)
        raise
    except (SQLAlchemyError, OSError) as error:
        logger.warning("delivery %d could not be stamped (%s); not sent", letter.id, type(error).__name__)
    except Exception:
        logger.exception("delivery %d cannot be sent", letter.id)
        outcome = judge(
            outcome, MailDelayed("an error of ours; see the worker's log"), letter.attempt, context.settings
        )
    outcome = msgspec.structs.replace(outcome, ended_at=datetime.now(UTC))
    context.ledger.record(outcome)
    if outcome.result is not Result.SENT or not letter.broadcast:  # a broadcast's would be a line a user
        logger.info("e-mail: %s", outcome.result)
    if outcome.result is Result.DELAYED:
        context.bell.ring_in(outcome.delay + RECORDED)


def judge(outcome: Outcome, error: MailError, attempt: int, settings: Settings) -> Outcome:
    """What an error means for the delivery: whether there will be another try, and when."""
    delay, reason = 0.0, None
    match error:
        case RelayUnavailable():
            result = Result.UNTRIED if isinstance(error, Spared) else Result.RELAY_DOWN
        case MailUncertain() if settings.uncertain == "hold" or attempt >= settings.attempts:
            result, reason = Result.UNCERTAIN, "the server may have taken it; its reply was lost"
        case MailDelayed() if attempt < settings.attempts:
            result, delay = Result.DELAYED, random.uniform(0, FIRST_DELAY * GROWTH ** (attempt - 1))  # noqa: S311
        case MailDelayed():
            result, reason = Result.REFUSED, f"gave up after {attempt} tries; the last: {error}"
        case _:
            result, reason = Result.REFUSED, str(error)
    bounced = error.address if isinstance(error, NoSuchMailbox) else None
    said = {"code": error.code, "text": error.text, "reason": reason, "bounced": bounced}
    return msgspec.structs.replace(outcome, result=result, delay=delay, **said)
