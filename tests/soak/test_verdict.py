"""The verdict is put to the test: each breach, planted alone into a sound history, is found and named."""

from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from tests.soak.evidence import Evidence, Told
from tests.soak.history_of_bob import BOB, LETTER, START, TO_BOB, answered, attempt, copy, hurt, sound
from tests.soak.plan import Plan
from tests.soak.planted import (
    BREACHES,
    Plant,
    a_copy_after,
    a_mail_given_up_early,
    a_mail_lost,
    first,
    stream,
)
from tests.soak.report import Findings, keep, show
from tests.soak.sink import UNKNOWN
from tests.soak.verdict import judge, mails

PLAN = Plan(seed=7, seconds=1.0)


def verdict(evidence: Evidence) -> set[tuple[int, str]]:
    return {(each.promise, each.kind) for each in judge(evidence, PLAN)}


def test_a_sound_history_breaks_nothing() -> None:
    assert verdict(sound()) == set()


@pytest.mark.parametrize(("plant", "found"), BREACHES)
def test_a_breach_is_found_and_named(plant: Plant, found: set[tuple[int, str]]) -> None:
    evidence = sound()
    plant(evidence)
    assert verdict(evidence) == found


# What is no breach


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (("worker kill -9", "worker", "worker 1"), mails.WORKER_KILLED),
        (("worker frozen past its lease", "worker", "worker 1"), mails.WORKER_STALLED),
        (("PostgreSQL frozen", "postgres", "PostgreSQL"), mails.NOT_RECORDED),
    ],
)
def test_a_repeat_has_a_reason_where_its_worker_was_hurt(fault: tuple[str, str, str], reason: str) -> None:
    evidence = sound()
    a_copy_after(fault)(evidence)
    assert verdict(evidence) == set()
    assert mails.reasons(evidence, PLAN, first(evidence), [copy(TO_BOB), copy(TO_BOB, at=START + 8)]) == [reason]


def test_a_repeat_has_a_reason_where_the_reply_was_lost() -> None:
    evidence = sound()
    evidence.copies.append(copy(TO_BOB, told=False))
    first(evidence).tried.append(attempt("delayed", "connection lost, after the mail was handed over"))
    assert verdict(evidence) == set()
    assert mails.reasons(evidence, PLAN, first(evidence), evidence.copies[::3]) == [mails.LOST_REPLY]


def test_what_got_no_answer_and_no_key_may_be_there_or_not() -> None:
    evidence = sound()
    evidence.hurts = [hurt("web kill -9", "web", "web 1")]
    unknown = msgspec.structs.replace(evidence.sent[0], token="unknown", key=None, tries=[answered(None)], answers=[])
    evidence.sent.append(unknown)
    assert verdict(evidence) == set()
    evidence.items[12] = msgspec.structs.replace(evidence.items[LETTER], id=12, number=None, token="unknown")
    assert verdict(evidence) == set()


def test_an_address_that_does_not_exist_may_fail_at_once() -> None:
    evidence = sound()
    a_mail_given_up_early(evidence)
    evidence.boxes[BOB].email = f"{UNKNOWN}@example.com"
    evidence.copies = [each for each in evidence.copies if each.recipient == "ada@example.com"]
    evidence.deliveries = [each for each in evidence.deliveries if each.notification == LETTER or each.user != BOB]
    assert (2, "lost") not in {(each.promise, each.kind) for each in mails.judge(evidence, PLAN) if TO_BOB in each.ids}


def test_who_was_away_too_long_may_be_told_to_start_over() -> None:
    evidence = sound()
    reset = {"reason": "too much was missed", "unread": 1}
    stream(evidence).told = [
        stream(evidence).told[0],
        Told(at=START + 9, position=(2, 1), opening=2, events=[("reset", reset)]),
    ]
    assert verdict(evidence) == set()


def test_the_report_counts_the_breaches_and_keeps_the_faults_around_them(tmp_path: Path) -> None:
    evidence = sound()
    evidence.hurts = [
        hurt("worker kill -9", "worker", "worker 3"),
        hurt("web frozen", "web", "web 1", began=START + 900, ended=START + 901),
    ]
    a_mail_lost(evidence)
    broken = judge(evidence, PLAN)
    console = Console(record=True, width=120)
    show(evidence, broken, PLAN, console)
    keep(evidence, broken, PLAN, tmp_path / "found.json")

    printed = console.export_text()
    assert "seed 7" in printed
    assert "Promise 2 broke" in printed
    found = msgspec.json.decode((tmp_path / "found.json").read_bytes(), type=Findings)
    assert found.counts == {"lost": 1}
    [breach] = found.breaches
    assert breach.broken.ids == [TO_BOB]
    assert [each.name for each in breach.around] == ["worker kill -9"]
