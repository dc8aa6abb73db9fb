"""Promises 2, 3 and 8 for e-mail: deliveries against the mail server's log, and a reason for every repeated copy."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.soak.database import FINAL
from tests.soak.evidence import Broken, Copy, Delivery, Evidence, Sent
from tests.soak.plan import Plan
from tests.soak.sink import UNKNOWN

PROMPT = 0.5  # seconds; a reply that took longer to give may have come too late
CLOCKS = 0.1  # PostgreSQL and the mail server write down times of their own

KILLED = {"worker kill -9", "all workers kill -9"}
FROZEN = {"worker frozen", "worker frozen past its lease"}
LOST_REPLY = "the reply to the final dot was lost"
WORKER_KILLED = "its worker was killed"
WORKER_STALLED = "its worker stalled past its lease"
NOT_RECORDED = "its worker stalled past its lease, for PostgreSQL would not record it"
NO_REASON = "no reason"


Message = tuple[str, str]
"""To which address, under which token: what makes copies copies of one mail, whatever their Message-IDs."""


def by_message(evidence: Evidence) -> defaultdict[Message, list[Copy]]:
    copies = defaultdict(list)
    for copy in evidence.copies:
        copies[copy.recipient, copy.token].append(copy)
    return copies


def message(evidence: Evidence, delivery: Delivery) -> Message:
    return evidence.boxes[delivery.user].email, evidence.items[delivery.notification].token


def judge(evidence: Evidence, plan: Plan) -> Iterator[Broken]:
    copies = by_message(evidence)
    deliveries = {message(evidence, delivery): delivery for delivery in evidence.deliveries}
    if len(deliveries) < len(evidence.deliveries):
        yield Broken(promise=2, kind="two deliveries", what="of one message to one recipient", at=evidence.healed)
    for sent in evidence.sent:
        yield from _is_queued(evidence, sent, deliveries)
    for key, delivery in deliveries.items():
        yield from _came_to_an_end(evidence, plan, delivery, copies.get(key, []), recipient=key[0])
        yield from _has_reasons(evidence, plan, delivery, copies.get(key, []))
    for recipient, token in copies.keys() - deliveries.keys():
        what = f"{recipient} got {token!r}, which the database does not have for them"
        yield Broken(promise=8, kind="foreign data", what=what, at=copies[recipient, token][0].at)
    if evidence.mail_seconds is None:
        what = f"not all mail had come to its end {plan.mail_seconds:.0f} s after the last fault"
        yield Broken(promise=3, kind="too slow to converge", what=what, at=evidence.healed)


def _is_queued(evidence: Evidence, sent: Sent, deliveries: dict[Message, Delivery]) -> Iterator[Broken]:
    if "email" not in sent.channels or not sent.accepted:
        return
    for user in evidence.boxes if sent.broadcast else sent.to:
        if (evidence.boxes[user].email, sent.token) not in deliveries:
            what = f"{sent.token!r} was accepted for user {user}, and there is no e-mail of it"
            yield Broken(promise=2, kind="lost", what=what, at=sent.tries[-1].ended, ids=sent.answers[0])


def _came_to_an_end(
    evidence: Evidence, plan: Plan, delivery: Delivery, copies: list[Copy], *, recipient: str
) -> Iterator[Broken]:
    def broken(kind: str, what: str) -> Broken:
        what = f"delivery {delivery.id} {what}; tries: {[each.outcome for each in delivery.tried]}"
        return Broken(promise=2, kind=kind, what=what, at=delivery.created, ids=[delivery.id])

    taken = sum(map(_was_told, copies))
    if delivery.status not in FINAL:
        yield broken("lost", f"is still {delivery.status}")
    elif delivery.status != "sent" and taken > _doubtful(delivery):
        yield broken("taken, and said not to be", f"is {delivery.status}, with {taken} copies told to be taken")
    elif not _may_end_so(delivery, plan, copies, unknown=recipient.startswith(UNKNOWN)):
        yield broken("lost", f"is {delivery.status} after {delivery.attempts} tries, with {len(copies)} copies")
    if len({copy.message_id for copy in copies}) > 1:
        yield broken("copies with two Message-IDs", f"has {sorted({copy.message_id for copy in copies})}")


def _may_end_so(delivery: Delivery, plan: Plan, copies: list[Copy], *, unknown: bool) -> bool:
    """Nobody cancels anything here, or lets it expire; only what is sent to addresses that do not exist is refused."""
    match delivery.status:
        case "sent":
            return bool(copies)
        case "failed":
            return unknown or delivery.attempts >= plan.attempts
        case "uncertain":
            return delivery.attempts >= plan.attempts and _doubtful(delivery) > 0
        case "suppressed":
            return unknown
    return False


def _doubtful(delivery: Delivery) -> int:
    return sum(attempt.repeatable for attempt in delivery.tried)


def reasons(evidence: Evidence, plan: Plan, delivery: Delivery, copies: list[Copy]) -> list[str]:
    """Why there are copies beyond the first, one reason each.

    A copy whose reply was lost is reason enough for another one. Of the others, each pair needs a worker that was hurt
    after it gave the first to the server; and unless that killed it, its lease must have run out before the second. And
    the ledger must know: it has a line for each try of which nobody knows whether it succeeded.
    """
    told = sorted((copy for copy in copies if _was_told(copy)), key=lambda copy: copy.at)
    untold = len(copies) - len(told)
    found = [LOST_REPLY] * (untold - (not told))
    found += [_cause(evidence, plan, delivery, one, other) for one, other in pairwise(told)]
    known = _doubtful(delivery)
    return found[:known] + [NO_REASON] * (len(found) - known)


def _was_told(copy: Copy) -> bool:
    return copy.told_at is not None and copy.told_at - copy.at < PROMPT


def _cause(evidence: Evidence, plan: Plan, delivery: Delivery, one: Copy, other: Copy) -> str:
    def hurt(names: set[str]) -> bool:
        hurts = [hurt for hurt in evidence.hurts if hurt.name in names and hurt.target in (one.worker, "all workers")]
        return any(hurt.touches(one.at - PROMPT, other.at) for hurt in hurts)

    if hurt(KILLED):
        return WORKER_KILLED
    if _lease_ran_out(plan, delivery, one, other):
        if hurt(FROZEN):
            return WORKER_STALLED
        if evidence.hurting(one.at - PROMPT, other.at, "postgres"):
            return NOT_RECORDED
    return NO_REASON


def _lease_ran_out(plan: Plan, delivery: Delivery, one: Copy, other: Copy) -> bool:
    """By the ledger: it was taken back after the first and before the second, and not too early.

    A lease holds for `send_seconds` at least from when the mail is handed over, which is the beginning of such a line.
    """
    return any(
        attempt.outcome == "lost"
        and attempt.began <= one.at + CLOCKS
        and attempt.ended <= other.at + CLOCKS
        and attempt.ended - attempt.began >= plan.send_seconds
        for attempt in delivery.tried
    )


def _has_reasons(evidence: Evidence, plan: Plan, delivery: Delivery, copies: list[Copy]) -> Iterator[Broken]:
    without = Counter(reasons(evidence, plan, delivery, copies))[NO_REASON]
    if without:
        times = [f"{copy.at:.2f} {copy.worker} told {_was_told(copy)}" for copy in copies]
        what = f"delivery {delivery.id} came {len(copies)} times: {times}; tries: {[t.outcome for t in delivery.tried]}"
        for _ in range(without):
            at = copies[-1].at
            yield Broken(promise=2, kind="repeated without a reason", what=what, at=at, ids=[delivery.id])
