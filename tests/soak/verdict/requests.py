"""Promises 1, 7, 9 and 10: the senders' log against the database, and how requests and signals were answered."""

import signal
from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.soak.evidence import Broken, Evidence, Sent, Stopped, Try
from tests.soak.promises import WEB_SECONDS, WORKER_SECONDS

STARTING = 10.0
"""Seconds a worker may take, where everything is hurt, until it listens to signals."""
GRACE = 2.0
"""Seconds after a fault for which what it did may still be felt: connections to be made anew, work to be caught up."""
BOUND = 11.0
"""Seconds a request may take while PostgreSQL is away; the sender gives up after one more."""


def judge(evidence: Evidence) -> Iterator[Broken]:
    rows = defaultdict(list)
    for item in evidence.items.values():
        rows[item.token].append(item)
    for sent in evidence.sent:
        yield from _was_committed(evidence, sent)
        yield from _had_one_effect(sent, Counter(item.user for item in rows[sent.token]))
        yield from _was_answered(evidence, sent.tries, sent.token, ends=sent.key is not None)
    unknown = rows.keys() - {sent.token for sent in evidence.sent}
    for token in unknown:
        ids = [item.id for item in rows[token]]
        yield Broken(promise=7, kind="sent by nobody", what=f"rows {token!r} nobody sent", at=evidence.healed, ids=ids)
    for marked in evidence.marked:
        yield from _was_answered(evidence, marked.tries, f"{marked.how} by user {marked.user}", ends=True)
    yield from _obeyed(evidence)


def _was_committed(evidence: Evidence, sent: Sent) -> Iterator[Broken]:
    to = [None] if sent.broadcast else sent.to
    for ids in sent.answers:
        found = [evidence.items.get(id_) for id_ in ids]
        there = [item.user for item in found if item is not None and item.token == sent.token]
        if there != to:
            yield Broken(
                promise=1,
                kind="false 2xx",
                what=f"{sent.token!r} was accepted for {to}; the database has it for {there}",
                at=sent.tries[-1].ended,
                ids=ids,
            )
        nowhere = [item.id for item in found if item and item.token == sent.token and item.number is None]
        if "inbox" in sent.channels and nowhere:
            what = f"{sent.token!r} was accepted for {to}, and is in no inbox"
            yield Broken(promise=1, kind="never arrived", what=what, at=sent.tries[-1].ended, ids=nowhere)


def _had_one_effect(sent: Sent, rows: Counter[int | None]) -> Iterator[Broken]:
    at = sent.tries[-1].ended if sent.tries else 0.0
    if any(ids != sent.answers[0] for ids in sent.answers):
        yield Broken(promise=7, kind="answers differ", what=f"{sent.token!r}: {sent.answers}", at=at)
    if max(rows.values(), default=0) > 1:
        yield Broken(promise=7, kind="done twice", what=f"{sent.token!r} is there {dict(rows)} times", at=at)
    if wrong := [status for status in sent.clashed if status not in (422, 503, None)]:
        yield Broken(promise=7, kind="other body taken", what=f"{sent.token!r}: another body got {wrong}", at=at)


def _was_answered(evidence: Evidence, tries: list[Try], what: str, *, ends: bool) -> Iterator[Broken]:
    def broken(kind: str, each: Try) -> Broken:
        took = each.ended - each.began
        return Broken(
            promise=9, kind=kind, what=f"{what}: {each.status} after {took:.1f} s: {each.text}", at=each.ended
        )

    for each in tries:
        excused = evidence.hurting(each.began - GRACE, each.ended, "postgres", "web")
        if each.status == 503 and not each.retry_after:
            yield broken("503 without Retry-After", each)
        if each.status == 503 and not excused:
            yield broken("refused without need", each)
        elif each.status is None and not evidence.hurting(each.began - GRACE, each.ended, "web"):
            yield broken("not answered", each)
        elif each.status is not None and each.ended - each.began > BOUND and not excused:
            yield broken("answered too late", each)
        elif each.status not in (None, 503) and not each.accepted:
            yield broken("answered wrongly", each)
    if ends and (not tries or tries[-1].status in (None, 503)):
        yield Broken(promise=9, kind="never answered", what=f"{what}: {len(tries)} tries", at=evidence.healed)


def _codes(stopped: Stopped) -> tuple[int, ...]:
    """uvicorn cleans up and then ends by the signal it got; so does Python where it has not come to our program yet."""
    return (0, -signal.SIGTERM) if stopped.who.startswith("web") or stopped.ran < STARTING else (0,)


def _obeyed(evidence: Evidence) -> Iterator[Broken]:
    for stopped in evidence.stopped:
        most = WEB_SECONDS if stopped.who.startswith("web") else WORKER_SECONDS
        if stopped.seconds > most or stopped.code not in _codes(stopped):
            yield Broken(
                promise=10,
                kind="SIGTERM not obeyed",
                what=f"{stopped.who} was gone after {stopped.seconds:.1f} s with {stopped.code}",
                at=stopped.at,
            )
    for died in evidence.died:
        what = f"{died.who} ended by itself with {died.code}"
        yield Broken(promise=9, kind="processes that died by themselves", what=what, at=died.at)
