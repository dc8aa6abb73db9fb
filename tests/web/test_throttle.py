"""Limits on guessing, registering and sending: over all processes, and without Redis."""

import asyncio
import ipaddress
import os
import signal
import time
from itertools import product

import httpx
import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from belfry.accounts.passwords import AT_ONCE
from belfry.settings import Settings
from belfry.up import redis as embedded
from db import Database
from tests.people import PASSWORD, Person
from tests.serving import Serving, serving

WRONG = "not the password"
ELSEWHERE = {"x-forwarded-for": "198.51.100.7"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, trusted_proxies="127.0.0.1")


async def log_in(
    client: httpx.AsyncClient, email: str, password: str = WRONG, address: str = "192.0.2.1"
) -> httpx.Response:
    headers = {"x-forwarded-for": address}
    return await client.post("/v1/auth/login", json={"email": email, "password": password}, headers=headers)


async def guess(belfry: Serving, email: str, count: int, address: str = "192.0.2.1") -> list[int]:
    async with belfry.anonymous() as client:
        return [(await log_in(client, email, address=address)).status_code for _ in range(count)]


@pytest.mark.usefixtures("turns_stay_used")
async def test_an_account_bears_ten_wrong_passwords_wherever_they_come_from_and_says_when_to_come_back(
    belfry: Serving, settings: Settings, bob: Person, ada: Person
) -> None:
    async with serving(settings) as other, belfry.anonymous() as client:
        first = await guess(belfry, bob.email, 5) + await guess(other, bob.email.upper(), 5, "192.0.2.2")
        refused = await log_in(client, bob.email, PASSWORD, "192.0.2.3")
        others = await log_in(client, ada.email, PASSWORD, "192.0.2.3")

    assert first == [401] * 10
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
    assert 0 < int(refused.headers["retry-after"]) <= 360
    assert refused.headers["ratelimit-policy"] == '"failed-logins-account";q=10;w=3600'
    assert refused.headers["ratelimit"].startswith('"failed-logins-account";r=0;t=')
    assert others.status_code == 200


@pytest.mark.usefixtures("turns_stay_used")
async def test_an_unknown_account_is_limited_as_a_known_one_is(belfry: Serving, bob: Person) -> None:
    known, unknown = await guess(belfry, bob.email, 11), await guess(belfry, "nobody@example.com", 11, "192.0.2.9")

    assert known == unknown == [401] * 10 + [429]


@pytest.fixture
def strict(settings: Settings) -> Settings:
    """Two wrong passwords are enough."""
    return msgspec.structs.replace(settings, login_failures_per_account=2)


async def test_an_account_has_one_limit_however_its_address_is_written(strict: Settings, db: Database) -> None:
    """As the database compares addresses, which is not as Python does: what these letters become is its locale's."""
    letters = {"i": "I\u0130\u0131i", "k": "K\u212ak", "s": "S\u017fs"}
    async with db.statement() as tx:
        same = {
            small: [each for each in forms if await tx.scalar(text("SELECT lower(:each)"), {"each": each}) == small]
            for small, forms in letters.items()
        }
    names = ["".join(each) for each in product(*same.values())]
    async with serving(strict) as belfry, belfry.person("iks@example.com"), belfry.anonymous() as client:
        for domain in ("example.com", "nowhere.example"):
            answers = [await log_in(client, f"{names[n % len(names)]}@{domain}") for n in (0, len(names) // 2, -1)]
            assert [answer.status_code for answer in answers] == [401, 401, 429]


async def test_a_right_password_costs_a_turn_where_nobody_is_let_in(strict: Settings, db: Database) -> None:
    async with serving(strict) as belfry, belfry.person("bob@example.com") as bob, belfry.anonymous() as client:
        async with db.statement() as tx:
            await tx.execute(text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": bob.id})
        answers = [await log_in(client, bob.email, PASSWORD) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert [answer.headers["ratelimit"].split(";t=")[0] for answer in answers[:2]] == [
        f'"failed-logins-account";r={left}' for left in (1, 0)
    ]


async def test_who_has_a_network_of_ipv6_gets_every_other_turn_of_an_account_and_ten_times_an_addresss(
    belfry: Serving,
) -> None:
    throttle, sites = belfry.given.throttle, [ipaddress.ip_address(f"2001:db8:1:{n}::1") for n in range(2)]
    one, other = ({limit.key: policy for policy, limit in throttle.guess(7, each)} for each in sites)
    shared = {one[key].name: (one[key].count, one[key].seconds) for key in one.keys() & other.keys()}

    assert shared == {
        "failed-logins-account": (10, 60),
        "failed-logins-account-address": (10, 120),
        "failed-logins-address-network": (300, 60),
    }
    assert len(one.keys() - other.keys()) == 1


async def test_an_address_bears_thirty_wrong_passwords_and_any_number_of_right_ones(
    belfry: Serving, bob: Person
) -> None:
    async with belfry.anonymous() as client:
        good = [(await log_in(client, bob.email, PASSWORD)).status_code for _ in range(40)]
        client.cookies.clear()
        began, wrong = time.monotonic(), 0
        while (await log_in(client, f"{wrong}@example.com")).status_code == 401:
            wrong += 1
        refused = await log_in(client, bob.email, PASSWORD)
        back = (time.monotonic() - began) / 2  # a turn comes back every two seconds
        same_network = [
            (await log_in(client, "x@example.com", address=f"2001:db8::{n}")).status_code for n in range(11)
        ]
        elsewhere = await log_in(client, bob.email, PASSWORD, "192.0.2.2")

    assert good == [200] * 40
    assert 30 <= wrong <= 30 + back
    assert same_network == [401] * 10 + [429]
    assert (refused.status_code, elsewhere.status_code) == (429, 200)


@pytest.mark.usefixtures("turns_stay_used")
async def test_of_a_hundred_wrong_ones_at_once_ten_are_tried(
    belfry: Serving, settings: Settings, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("belfry.rates.DEADLINE", 20.0)  # both processes are this one, which has a lot to do
    async with serving(settings) as other, belfry.anonymous() as here, other.anonymous() as there:
        answers = await asyncio.gather(
            *(log_in((here, there)[n % 2], bob.email, address=f"192.0.2.{n}") for n in range(100))
        )

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [401] * 10 + [429] * 90


@pytest.mark.usefixtures("turns_stay_used")
async def test_a_known_browser_is_known_for_its_own_account_only_and_may_not_guess_for_ever(
    belfry: Serving, bob: Person, ada: Person
) -> None:
    async with belfry.anonymous() as mine:
        await log_in(mine, bob.email, PASSWORD)
        device = mine.cookies["belfry-device"]
        await guess(belfry, ada.email, 10, "192.0.2.5")
        await guess(belfry, bob.email, 10, "192.0.2.5")
        at_anothers = await log_in(mine, ada.email, PASSWORD)
        forged = await mine.post(
            "/v1/auth/login",
            json={"email": bob.email, "password": PASSWORD},
            headers={"cookie": f"belfry-device={device[:-1]}{'A' if device[-1] != 'A' else 'B'}"},
        )
        wrong = [(await log_in(mine, bob.email)).status_code for _ in range(11)]

    assert at_anothers.status_code == 429
    assert forged.status_code == 429
    assert wrong == [401] * 10 + [429]
    assert bob.email not in device


@pytest.mark.usefixtures("turns_stay_used")
async def test_ones_own_password_is_not_guessed_by_who_found_the_browser_open(belfry: Serving, bob: Person) -> None:
    body = {"current": "a guess", "new": "a longer and a better one"}
    answers = [await bob.client.post("/v1/me/password", json=body) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [422] * 10 + [429]


async def test_a_password_is_changed_so_many_times_an_hour_for_each_time_a_mail_says_so(
    settings: Settings, db: Database
) -> None:
    few = msgspec.structs.replace(settings, security_mails_per_recipient=1)
    async with serving(few) as belfry, belfry.person("bob@example.com") as bob:
        body = {"current": PASSWORD, "new": PASSWORD}
        answers = [await bob.client.post("/v1/me/password", json=body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 429]
    assert answers[1].headers["ratelimit-policy"] == '"password-changed-mails-recipient";q=1;w=3600'


async def test_what_others_ask_for_leaves_an_owner_the_mails_of_the_own_account(
    settings: Settings, db: Database
) -> None:
    few = msgspec.structs.replace(settings, security_mails_per_recipient=1)
    async with serving(few) as belfry, belfry.person("bob@example.com") as bob, belfry.person("eve@example.com") as eve:
        body = {"email": bob.email, "password": PASSWORD}
        burnt = [await eve.client.post("/v1/me/email", json=body) for _ in range(2)]
        async with belfry.anonymous() as client:
            forgot = [
                await client.post("/v1/auth/password/forgot", json={"email": each})
                for each in (bob.email, bob.email.upper())
            ]

    assert [answer.status_code for answer in burnt] == [409, 429]
    assert [answer.status_code for answer in forgot] == [202, 429]
    assert forgot[0].headers["ratelimit"].startswith('"reset-mails-recipient";r=0;t=')


async def test_an_address_registers_so_many_in_ten_minutes(settings: Settings, db: Database) -> None:
    few = msgspec.structs.replace(settings, registrations_per_address=2)
    async with serving(few) as belfry, belfry.anonymous() as client:
        answers = [
            await client.post("/v1/auth/register", json={"email": f"{n}@example.com", "password": PASSWORD})
            for n in range(3)
        ]
        body = {"email": "new@example.com", "password": PASSWORD}
        elsewhere = await client.post("/v1/auth/register", json=body, headers=ELSEWHERE)

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[0].headers["ratelimit"] == '"registrations";r=1;t=300'
    assert answers[2].json()["status"] == 429
    assert 290 < int(answers[2].headers["retry-after"]) <= 300
    assert elsewhere.status_code == 201


async def test_a_member_sends_so_many_a_minute_also_by_key_and_nobody_else_is_limited(
    settings: Settings, db: Database
) -> None:
    few = msgspec.structs.replace(settings, sends_per_member=3)
    async with (
        serving(few) as belfry,
        belfry.person("bob@example.com") as bob,
        belfry.person("ada@example.com", role="sender") as ada,
    ):
        key = (await bob.post("/v1/api-keys", 201, name="CI", scopes=["send"]))["key"]
        answers = [await bob.client.post("/v1/notifications", json={"title": "x"}) for _ in range(2)]
        answers += [await bob.client.post("/v1/alerts", json={"to": bob.id, "title": "x"})]
        answers += [await bob.client.post("/v1/notifications/batch", json={"to": [bob.id], "title": "x"})]
        async with belfry.bearer(key, bob) as program:
            answers += [await program.client.post("/v1/notifications", json={"title": "x"})]
        free = [await ada.client.post("/v1/notifications", json={"title": "x"}) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429]
    assert [answer.headers["ratelimit"].split(";t=")[0] for answer in answers] == [
        f'"sends";r={left}' for left in (2, 1, 0, 0, 0)
    ]
    assert {answer.status_code for answer in free} == {202}
    assert not any("ratelimit" in answer.headers for answer in free)


async def test_only_a_trusted_proxy_is_believed(settings: Settings, db: Database) -> None:
    for proxies, trusted in (("", False), ("192.0.2.0/24", False), ("127.0.0.0/8,::1", True)):
        changed = msgspec.structs.replace(settings, trusted_proxies=proxies, registrations_per_address=1)
        async with serving(changed) as belfry, belfry.anonymous() as client:
            made = [
                await client.post(
                    "/v1/auth/register",
                    json={"email": f"{n}{len(proxies)}@example.com", "password": PASSWORD},
                    headers={"x-forwarded-for": f"10.1.1.1, 198.51.{len(proxies)}.{n}"},
                )
                for n in range(2)
            ]
        assert made[-1].status_code == (201 if trusted else 429), proxies


@pytest.mark.usefixtures("turns_stay_used")
@pytest.mark.parametrize("how", ["gone", "frozen", "full"])
async def test_without_redis_each_process_keeps_the_limits_and_nobody_waits_long(
    settings: Settings, db: Database, how: str
) -> None:
    async with (
        embedded.running(say=lambda _: None) as redis,
        serving(msgspec.structs.replace(settings, redis_url=redis.url, sends_per_member=3)) as belfry,
        belfry.person("bob@example.com") as bob,
        belfry.anonymous() as client,
    ):
        match how:
            case "gone":
                await redis.stop()
            case "frozen":
                os.kill(redis.pid, signal.SIGSTOP)
            case "full":
                async with Redis.from_url(redis.url) as there:
                    await there.config_set("maxmemory", 1)
        try:
            began = time.monotonic()
            wrong = [(await log_in(client, bob.email)).status_code for _ in range(11)]
            took = time.monotonic() - began
            right = await log_in(client, bob.email, PASSWORD, "192.0.2.2")
            sent = [(await bob.client.post("/v1/notifications", json={"title": "x"})).status_code for _ in range(4)]
        finally:
            if how == "frozen":
                os.kill(redis.pid, signal.SIGCONT)

    assert wrong == [401] * 10 + [429]
    assert right.status_code == 429
    assert sent == [202, 202, 202, 429]
    assert took < 5


@pytest.mark.slow
async def test_sixty_logins_at_once_hold_up_neither_a_stream_nor_the_api(
    belfry: Serving, ada: Person, bob: Person
) -> None:
    """`just bench logins` says how much they slow them down."""
    passwords, most, arrived = belfry.given.passwords, 0, 0
    async with bob.stream() as events, httpx.AsyncClient(base_url=belfry.url, timeout=60) as client:
        storm = asyncio.gather(*(log_in(client, ada.email, PASSWORD) for _ in range(60)))
        while not storm.done():
            await ada.send(to=bob.id)
            await events.next("notification")
            arrived += 1
            most = max(most, passwords.running)
        answers = await storm

    assert {answer.status_code for answer in answers} == {200}
    assert arrived > 5
    assert most <= AT_ONCE
    assert passwords.running == 0


async def test_who_comes_when_too_many_wait_is_told_so_and_the_others_get_in(
    belfry: Serving, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("belfry.accounts.passwords.MOST_WAITING", 5)
    async with belfry.anonymous() as client:
        answers = await asyncio.gather(*(log_in(client, ada.email, PASSWORD) for _ in range(40)))

    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} == {200, 503}
    assert {answer.headers["retry-after"] for answer in refused} == {"5"}
    assert len(answers) - len(refused) >= 5 + AT_ONCE


async def test_every_failed_login_costs_one_run_of_argon2_whoever_it_is(
    belfry: Serving, bob: Person, ada: Person, db: Database
) -> None:
    passwords = belfry.given.passwords
    costs, answers = [], []
    async with belfry.anonymous() as client:
        for email in (bob.email, "nobody@example.com", ada.email, "nobody.else@example.com"):
            before = passwords.runs
            answers.append(await log_in(client, email))
            costs.append(passwords.runs - before)

    assert costs == [1, 1, 1, 1]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1
