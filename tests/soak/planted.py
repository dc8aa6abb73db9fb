"""Breaches, each planted into a history that has none, and the promise and kind that the verdict must find."""

from collections.abc import Callable

import msgspec

from tests.soak.evidence import Delivery, Died, Evidence, Heard, Stopped, Told
from tests.soak.history_of_bob import BOB, LETTER, START, TO_BOB, answered, attempt, copy, hurt

Plant = Callable[[Evidence], None]


def first(evidence: Evidence) -> Delivery:
    return evidence.deliveries[0]


def stream(evidence: Evidence) -> Heard:
    return evidence.heard[0]


# What is sent


def accepted_and_not_there(evidence: Evidence) -> None:
    evidence.sent[0].answers = [[999]]


def accepted_for_later_and_never_arrived(evidence: Evidence) -> None:
    evidence.items[12] = msgspec.structs.replace(evidence.items[LETTER], id=12, number=None, token="later")
    evidence.sent.append(msgspec.structs.replace(evidence.sent[0], token="later", answers=[[12]], channels=["inbox"]))


def accepted_for_one_and_there_for_another(evidence: Evidence) -> None:
    evidence.sent[0].to = [BOB + 1]
    evidence.sent[0].channels = ["inbox"]


def marked_and_undone(evidence: Evidence) -> None:
    evidence.marked[0].how = "delete"


def done_twice(evidence: Evidence) -> None:
    evidence.items[12] = msgspec.structs.replace(evidence.items[LETTER], id=12, number=None)


def another_answer(evidence: Evidence) -> None:
    evidence.sent[0].answers.append([12])
    evidence.items[12] = msgspec.structs.replace(evidence.items[LETTER], id=12, number=None, token="other")
    evidence.sent.append(msgspec.structs.replace(evidence.sent[0], token="other", answers=[[12]], channels=[]))


def another_body_taken(evidence: Evidence) -> None:
    evidence.sent[0].clashed = [422, 202]


def from_nobody(evidence: Evidence) -> None:
    evidence.items[12] = msgspec.structs.replace(evidence.items[LETTER], id=12, number=None, token="who?")


# How it is answered


def refused_while_only_redis_is_down(evidence: Evidence) -> None:
    evidence.hurts = [hurt("queue Redis down", "queue", "Redis")]
    evidence.sent[0].tries.insert(0, answered(503, retry_after=True))


def refused_without_a_word_on_when_to_come_back(evidence: Evidence) -> None:
    evidence.hurts = [hurt("PostgreSQL restart", "postgres", "PostgreSQL")]
    evidence.sent[0].tries.insert(0, answered(503))


def failed_by_a_bug(evidence: Evidence) -> None:
    evidence.sent[0].tries.insert(0, answered(500))


def kept_waiting(evidence: Evidence) -> None:
    evidence.sent[0].tries.insert(0, answered(202, took=11.5))


def no_answer(evidence: Evidence) -> None:
    evidence.sent[0].tries.insert(0, answered(None))


def never_an_answer(evidence: Evidence) -> None:
    evidence.hurts = [hurt("web frozen", "web", "web 1")]
    evidence.sent[0].tries = [answered(None)]


def a_slow_end(evidence: Evidence) -> None:
    evidence.stopped = [Stopped(who="web 1", at=START, ran=60, seconds=10.5, code=0)]


def an_end_that_says_it_failed(evidence: Evidence) -> None:
    evidence.stopped = [Stopped(who="worker 1", at=START, ran=60, seconds=1, code=-15)]


def an_end_nobody_asked_for(evidence: Evidence) -> None:
    evidence.died = [Died(who="worker 1", at=START, code=1)]


# Mail


def a_mail_lost(evidence: Evidence) -> None:
    del evidence.copies[0]


def a_mail_never_queued(evidence: Evidence) -> None:
    del evidence.deliveries[0], evidence.copies[0]


def a_mail_under_way_for_ever(evidence: Evidence) -> None:
    first(evidence).status = "processing"


def a_mail_given_up_early(evidence: Evidence) -> None:
    first(evidence).status = "failed"
    del evidence.copies[0]


def ended(status: str) -> Plant:
    """A mail that came to an end that nothing in this history leads to."""

    def a_mail(evidence: Evidence) -> None:
        first(evidence).status = status
        del evidence.copies[0]

    a_mail.__name__ = f"a mail {status}"
    return a_mail


def a_mail_taken_and_called_failed(evidence: Evidence) -> None:
    first(evidence).status = "failed"
    first(evidence).attempts = 8


def a_copy_without_a_reason(evidence: Evidence) -> None:
    """Its lease ran out, six seconds after it was handed over."""
    evidence.copies.append(copy(TO_BOB, at=START + 8))
    first(evidence).tried.append(attempt("lost", took=6))


def a_copy_before_its_lease_ran_out(evidence: Evidence) -> None:
    evidence.copies.append(copy(TO_BOB, at=START + 3))
    first(evidence).tried.append(attempt("lost", took=1))


def a_copy_after(*faults: tuple[str, str, str], soon: bool = False) -> Plant:
    def a_copy(evidence: Evidence) -> None:
        evidence.hurts = [hurt(*fault) for fault in faults]
        a_copy_before_its_lease_ran_out(evidence) if soon else a_copy_without_a_reason(evidence)

    a_copy.__name__ = (
        f"a copy{' soon' if soon else ''} after {' and '.join(f'{name} of {of}' for name, _, of in faults)}"
    )
    return a_copy


def a_copy_the_ledger_does_not_know_of(evidence: Evidence) -> None:
    evidence.hurts = [hurt("worker kill -9", "worker", "worker 1")]
    evidence.copies.append(copy(TO_BOB, at=START + 3, worker="worker 2"))


def a_copy_whose_own_worker_was_killed(evidence: Evidence) -> None:
    """What became of the worker that sent the second explains nothing."""
    a_copy_after(("worker kill -9", "worker", "worker 2"))(evidence)
    evidence.copies[-1].worker = "worker 2"


def a_copy_with_an_id_of_its_own(evidence: Evidence) -> None:
    evidence.copies.append(msgspec.structs.replace(copy(TO_BOB, told=False), message_id="<other>"))
    first(evidence).tried.append(attempt("delayed", "connection lost, after the mail was handed over"))


def a_mail_to_another(evidence: Evidence) -> None:
    evidence.copies.append(msgspec.structs.replace(copy(TO_BOB), recipient="ada@example.com"))


def mail_that_takes_for_ever(evidence: Evidence) -> None:
    evidence.mail_seconds = None


# Streams


def an_event_missing(evidence: Evidence) -> None:
    del stream(evidence).told[1].events[0]


def an_event_told_again(evidence: Evidence) -> None:
    stream(evidence).told.insert(2, stream(evidence).told[1])


def an_event_before_its_time(evidence: Evidence) -> None:
    told = stream(evidence).told
    told[2:] = [told[3], told[2]]
    told[3] = msgspec.structs.replace(told[3], position=(1, 1), events=told[3].events[:1])


def a_badge_off_by_one(evidence: Evidence) -> None:
    stream(evidence).told[1].events[-1] = ("count", {"count": 2, "total": True})


def told_what_is_anothers(evidence: Evidence) -> None:
    evidence.items[12] = msgspec.structs.replace(evidence.items[LETTER], id=12, user=1, number=None, token="ada's")
    evidence.sent.append(msgspec.structs.replace(evidence.sent[0], token="ada's", to=[1], answers=[[12]], channels=[]))
    state = {"state": "deleted", "ids": [12]}
    stream(evidence).told.append(Told(at=START + 1, position=(3, 1), opening=1, events=[("state", state)]))


def listed_what_is_anothers(evidence: Evidence) -> None:
    evidence.listed[0].user = 1


def a_list_that_ends_up_different(evidence: Evidence) -> None:
    evidence.marked = []
    evidence.items[LETTER].state = "unread"


def started_over_for_no_good_reason(evidence: Evidence) -> None:
    reset = {"reason": "position ahead of the server", "unread": 1}
    stream(evidence).told.append(Told(at=START + 1, position=(2, 1), opening=2, events=[("reset", reset)]))


def late_in_peace(evidence: Evidence) -> None:
    stream(evidence).told[1].at = stream(evidence).told[2].at = stream(evidence).told[3].at = START + 3


def a_stream_left_behind(evidence: Evidence) -> None:
    evidence.stream_seconds = None


BREACHES: list[tuple[Plant, set[tuple[int, str]]]] = [
    (accepted_and_not_there, {(1, "false 2xx")}),
    (accepted_for_later_and_never_arrived, {(1, "never arrived")}),
    (accepted_for_one_and_there_for_another, {(1, "false 2xx")}),
    (marked_and_undone, {(1, "false 2xx")}),
    (done_twice, {(7, "done twice")}),
    (another_answer, {(1, "false 2xx"), (7, "answers differ")}),
    (another_body_taken, {(7, "other body taken")}),
    (from_nobody, {(7, "sent by nobody")}),
    (refused_while_only_redis_is_down, {(9, "refused without need")}),
    (refused_without_a_word_on_when_to_come_back, {(9, "503 without Retry-After")}),
    (failed_by_a_bug, {(9, "answered wrongly")}),
    (kept_waiting, {(9, "answered too late")}),
    (no_answer, {(9, "not answered")}),
    (never_an_answer, {(9, "never answered")}),
    (a_slow_end, {(10, "SIGTERM not obeyed")}),
    (an_end_that_says_it_failed, {(10, "SIGTERM not obeyed")}),
    (an_end_nobody_asked_for, {(9, "processes that died by themselves")}),
    (a_mail_lost, {(2, "lost")}),
    (a_mail_never_queued, {(2, "lost")}),
    (a_mail_under_way_for_ever, {(2, "lost")}),
    (a_mail_given_up_early, {(2, "lost")}),
    *((ended(status), {(2, "lost")}) for status in ("cancelled", "expired", "suppressed", "uncertain")),
    (a_mail_taken_and_called_failed, {(2, "taken, and said not to be")}),
    (a_copy_without_a_reason, {(2, "repeated without a reason")}),
    (a_copy_the_ledger_does_not_know_of, {(2, "repeated without a reason")}),
    *(
        (a_copy_after(*faults, soon=soon), {(2, "repeated without a reason")})
        for faults, soon in (
            ([("worker kill -9", "worker", "worker 3")], False),
            ([("worker SIGTERM", "worker", "worker 1")], False),
            ([("worker frozen", "worker", "worker 1")], True),
            ([("PostgreSQL frozen", "postgres", "PostgreSQL")], True),
        )
    ),
    (a_copy_whose_own_worker_was_killed, {(2, "repeated without a reason")}),
    (a_copy_with_an_id_of_its_own, {(2, "copies with two Message-IDs")}),
    (a_mail_to_another, {(8, "foreign data")}),
    (mail_that_takes_for_ever, {(3, "too slow to converge")}),
    (an_event_missing, {(4, "events missed")}),
    (an_event_told_again, {(4, "events duplicated")}),
    (an_event_before_its_time, {(4, "events out of order")}),
    (a_badge_off_by_one, {(6, "badge mismatches")}),
    (told_what_is_anothers, {(8, "foreign data")}),
    (listed_what_is_anothers, {(8, "foreign data")}),
    (a_list_that_ends_up_different, {(4, "events missed")}),
    (started_over_for_no_good_reason, {(4, "events missed")}),
    (late_in_peace, {(5, "late events")}),
    (a_stream_left_behind, {(4, "too slow to converge")}),
]
