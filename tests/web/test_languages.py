"""Problems are told in the caller's language: every sentence that a caller can be told has its Chinese."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from string import Formatter

import pytest
from sqlalchemy import text

from belfry.accounts import addresses, login, new_password, refreshing, registering
from belfry.intake import wording
from belfry.intake.fields import MEANING
from belfry.schedules import running
from belfry.web import control
from belfry.web.chinese import CHINESE
from belfry.web.languages import LONGEST, preferred, said
from belfry.web.problems import BUG, DETAILS
from db import Database
from db.queries import audit, expansions
from tasks import broadcast, send_due
from tests.people import Person
from tests.serving import Serving
from tests.web.sentences import FILLED, is_english, lambdas, problems, returned, sayings, written_down

CHINESE_CALLER = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}

# What passes on what another part worded: the sentences of wording.py are looked at by themselves.
PASSED_ON = {
    "problems.py: plain(str(each.get('message')))",
    "wording.py: plain(what)",
}
# Who writes reasons down, to be told later.
WRITERS = (addresses, broadcast, control, login, new_password, refreshing, registering, running, send_due)
# What PostgreSQL says itself, in a statement of db/queries.
STATED = {
    "there is no such mailbox: {}",
    "the recipient has unsubscribed",
    "an administrator suppressed the address",
    "the worker sending it was lost",
}


def test_every_sentence_has_its_chinese() -> None:
    calls = list(sayings())
    sentences = {each for _, texts in calls for each in texts}
    sentences |= lambdas(wording) | {*MEANING.values(), *wording.TYPES.values(), *DETAILS.values(), BUG}
    sentences |= {HTTPStatus(status).phrase.capitalize() for status in (*DETAILS, 500)} | {
        kind.title for kind in problems()
    }
    sentences = sentences.union(*map(written_down, WRITERS), returned(login._objection))
    sentences |= {running.NOT_LISTED, running.OVERTAKEN, expansions.CANCELLED, broadcast.QUEUE, *STATED}
    sentences |= {audit.COMMAND_LINE, audit.SCHEDULER, *(reason for _, reason in send_due.UNWANTED.values())}

    unknown = {call for call, texts in calls if texts == {FILLED}}
    assert {call for call in unknown if not call.startswith("smtp.py")} == PASSED_ON  # there, a server's words
    assert {each for each in sentences - {FILLED} if is_english(said(each, "zh-Hans"))} == set()


def names(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_what_is_filled_in_stands_in_both_and_no_sentence_is_taken_for_another() -> None:
    for english, chinese in CHINESE.items():
        assert names(english) - {"why"} == names(chinese), english
        filled = dict.fromkeys(names(english), "#")
        assert said(english.format(**filled), "zh-Hans") == chinese.format(**filled)


def test_what_strangers_made_long_is_not_looked_through() -> None:
    text = f"There is nothing at /{' of ' * LONGEST}."
    assert said(text, "zh-Hans") == text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("en", "en"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("ZH-hant-TW", "zh-Hans"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.5, zh ; q=0.75", "zh-Hans"),
        ("fr-FR,fr;q=0.9,zh;q=0.1", "zh-Hans"),
        ("fr, de;q=0.5", "en"),
        ("en, zh", "en"),
        ("*, zh;q=0.5", "en"),
        ("zh;q=0", "en"),
        ("zh;q=2", "en"),
        ("zh;q=0.5;q=1", "en"),
        ("zhongwen", "en"),
        (",;=, ;q=1", "en"),
        ("zh\x00", "en"),
        ("zh," * 5_000, "zh-Hans"),
    ],
)
def test_the_language_is_the_one_the_caller_likes_best(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


async def test_a_bad_body_is_refused_in_the_language_of_the_caller(belfry: Serving, ada: Person) -> None:
    chinese = await ada.client.post("/v1/notifications", json={"title": ""}, headers=CHINESE_CALLER)

    assert chinese.status_code == 422
    assert chinese.headers["content-language"] == "zh-Hans"
    assert "Accept-Language" in chinese.headers["vary"]
    assert chinese.json() == {
        "type": "about:blank",
        "title": "输入有误",
        "status": 422,
        "detail": "title：不能为空",  # noqa: RUF001
        "errors": [{"field": "title", "message": "不能为空"}],
    }
    for other in (b"en", b"de-DE", b"zh;q=0", b"\xff\xfe", b""):
        english = await ada.client.post("/v1/notifications", json={"title": ""}, headers={b"accept-language": other})

        assert english.headers["content-language"] == "en"
        assert english.json()["title"] == "Bad input"
        assert english.json()["detail"] == "title: must not be empty"
        assert english.json()["errors"] == [{"field": "title", "message": "must not be empty"}]


async def test_whatever_goes_wrong_is_told_in_the_language_of_the_caller(belfry: Serving, bob: Person) -> None:
    told = {}
    async with belfry.anonymous() as client:
        for status, how, path in [
            (401, "GET", "/v1/me"),
            (404, "GET", "/nothing"),
            (405, "PUT", "/v1/auth/login"),
            (401, "GET", "/v1/stream?ticket=x"),
        ]:
            answer = await client.request(how, path, headers=CHINESE_CALLER)
            assert (answer.status_code, answer.headers["content-language"]) == (status, "zh-Hans")
            told[path] = answer.json()["detail"]
    answer = await bob.client.get("/v1/audit", headers=CHINESE_CALLER)
    told["/v1/audit"] = answer.json()["detail"]

    assert told == {
        "/v1/me": "需要登录：Bearer 令牌或会话 Cookie。",  # noqa: RUF001
        "/nothing": "/nothing 处没有内容。",
        "/v1/auth/login": "此处不支持 PUT，可用的方法见 Allow 标头。",  # noqa: RUF001
        "/v1/stream?ticket=x": "票据无效或已失效。每张票据仅可打开一个实时流，且仅可使用一次。",  # noqa: RUF001
        "/v1/audit": "需要管理员角色，您的角色是成员。",  # noqa: RUF001
    }


async def test_a_reason_is_told_in_the_language_of_whoever_asks_for_it(ada: Person, bob: Person, db: Database) -> None:
    made = await ada.post("/v1/schedules", 201, name="Nightly", cron="@daily", title="Hello", audience=[bob.id])
    async with db.begin() as tx:
        await tx.execute(text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": bob.id})
    run = await ada.post(f"/v1/schedules/{made['id']}/run", 202, headers=CHINESE_CALLER)
    [kept] = (await ada.get(f"/v1/schedules/{made['id']}/runs"))["items"]
    sent = await ada.send("Later", send_at=(datetime.now(UTC) + timedelta(days=1)).isoformat(), channels=["email"])
    await ada.post(f"/v1/notifications/{sent['id']}/cancel")
    trace = (await ada.client.get(f"/v1/notifications/{sent['id']}/trace", headers=CHINESE_CALLER)).json()

    assert run["reason"] == "收件人均已不存在"
    assert kept["reason"] == "nobody of its audience is there any more"
    assert [trace["reason"], *(each["reason"] for each in trace["deliveries"])] == ["由发送者取消"] * 2
