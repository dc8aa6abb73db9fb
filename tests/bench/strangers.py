"""What a login tells strangers by its time: a wrong password must take as long as an account that does not exist."""

from statistics import median

import msgspec
from sqlalchemy import text

from belfry.accounts.passwords import Passwords
from db import Database
from tests import rows
from tests.bench.client.in_turn import InTurn, Took
from tests.bench.client.wire import request
from tests.bench.report import Report, figure
from tests.bench.stage import Stage

MOST = 1.05
BOUND = 0.1  # between rounds
WRONG, UNKNOWN = "wrong password", "no such account"


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """`samples` of each of the two a round, every one of another account."""

    rounds: int = 3
    samples: int = 200


FULL = Size()
QUICK = Size(rounds=2, samples=10)


async def run(stage: Stage, size: Size) -> Report:
    async with stage.database() as db:
        await _accounts(db, size.rounds * size.samples)
    task = stage.progress.add_task("strangers: logging in to accounts that exist and do not", total=size.rounds)
    rounds: list[dict[str, list[float]]] = []
    async with stage.serving(login_failures_per_account="0", login_failures_per_address="0") as web:
        for number in range(size.rounds):
            fresh = range(number * size.samples + 1, (number + 1) * size.samples + 1)
            requests = {f"{WRONG} {n}": _login(f"user{n}@example.com") for n in fresh}
            requests |= {f"{UNKNOWN} {n}": _login(f"nobd{n}@example.com") for n in fresh}
            job = InTurn(port=web.port, requests=requests, repeats=1, warm_up=0, expect=401)
            ms = (await stage.ask(job, Took)).ms
            rounds.append({what: [ms[f"{what} {n}"][0] for n in fresh] for what in (WRONG, UNKNOWN)})
            stage.progress.advance(task)
    medians = [(median(each[WRONG]), median(each[UNKNOWN])) for each in rounds]
    return Report(
        benchmark="strangers",
        title=f"Failed logins: {size.samples} a round to accounts that exist, as many to others, in a drawn order",
        figures=[
            figure("the longer against the shorter", "x", [max(m) / min(m) for m in medians], bound=BOUND, most=MOST)
        ],
        details={
            what: {"median (ms)": median(took for each in rounds for took in each[what])} for what in (WRONG, UNKNOWN)
        },
        notes=[],
    )


async def _accounts(db: Database, count: int) -> None:
    passwords = Passwords()
    password_hash = await passwords.hash("what nobody guesses")
    passwords.close()
    await rows.users(db, count)
    async with db.statement() as tx:
        await tx.execute(text("UPDATE users SET password_hash = :hash"), {"hash": password_hash})


def _login(email: str) -> str:
    return request("POST", "/v1/auth/login", body={"email": email, "password": "what somebody guesses"})
