"""Whether the promises held: four sources held against each other. Every breach is named, with what shows it."""

from tests.soak.evidence import Broken, Evidence
from tests.soak.plan import Plan
from tests.soak.verdict import mails, marks, requests, streams

__all__ = ["judge"]


def judge(evidence: Evidence, plan: Plan) -> list[Broken]:
    return [
        *requests.judge(evidence),
        *marks.judge(evidence),
        *mails.judge(evidence, plan),
        *streams.judge(evidence, plan),
    ]
