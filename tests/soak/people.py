"""Who takes part: all of them may send; some addresses do not exist, some are put off every other time."""

from belfry.settings import Settings
from db import Database
from tests.realtime.returning import Login, logins
from tests.soak.plan import Plan
from tests.soak.sink import GREYLISTED, UNKNOWN

ODD = 3
POPULAR = 3


class People:
    """`shown` have streams open and mark what they get; everybody is written to, the `popular` all the time."""

    def __init__(self, shown: list[Login], others: list[Login]) -> None:
        self.shown = shown
        self.popular = shown[:POPULAR]
        self.all = shown + others


async def people(db: Database, settings: Settings, plan: Plan) -> People:
    shown = await logins(db, settings, plan.shown, email="shown{}@example.com")
    unknown = await logins(db, settings, ODD, email=UNKNOWN + "{}@example.com")
    greylisted = await logins(db, settings, ODD, email=GREYLISTED + "{}@example.com")
    rest = await logins(db, settings, plan.people - plan.shown - 2 * ODD, email="quiet{}@example.com")
    return People(shown, unknown + greylisted + rest)
