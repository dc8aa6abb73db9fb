"""The link at the end of a broadcast's mail (RFC 8058)."""

import base64
import hashlib
import re

import httpx
import pytest
from sqlalchemy import text

from belfry.mail.unsubscribe import UnsubscribeLinks
from db import Database
from db.models import Scope
from tasks.context import open_context
from tasks.send_due import send_due
from tests.people import Person
from tests.rows import broadcast
from tests.serving import Serving
from tests.smtp_sink import Sink

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def link(belfry: Serving, bob: Person) -> str:
    """Bob's link, as a path."""
    return belfry.given.links.url(bob.id, Scope.BROADCASTS).removeprefix(belfry.settings.public_url)


async def suppressed(admin: Person) -> list[tuple[str, str, str]]:
    items = (await admin.get("/v1/suppressions"))["items"]
    return [(item["address"], item["scope"], item["reason"]) for item in items]


BOB = [("bob@example.com", "broadcasts", "unsubscribed")]


async def test_a_mail_program_unsubscribes_with_what_the_mail_says(
    belfry: Serving, db: Database, sink: Sink, bob: Person, eve: Person
) -> None:
    notification_id = await broadcast(db)
    async with db.statement() as tx:
        await tx.execute(
            text("INSERT INTO deliveries (notification_id, user_id, lane, status) VALUES (:id, :user, 2, 'pending')"),
            {"id": notification_id, "user": bob.id},
        )
    async with open_context(belfry.settings) as context:
        await send_due(context)
    [mail] = sink.mails
    [(name, _, value)] = [str(mail.message["List-Unsubscribe-Post"]).partition("=")]
    url = str(mail.message["List-Unsubscribe"]).strip("<>")
    assert url.startswith(belfry.settings.public_url + "/unsubscribe/")

    async with belfry.anonymous() as program:
        answer = await program.post(url.removeprefix(belfry.settings.public_url), data={name: value})

    assert answer.status_code == 200
    assert await suppressed(eve) == BOB


@pytest.mark.parametrize("how", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}, {}])
async def test_no_login_no_cookie_and_no_json_are_needed_and_twice_is_once(
    belfry: Serving, link: str, eve: Person, how: dict[str, object]
) -> None:
    async with belfry.anonymous() as program:
        for _ in range(2):
            answer = await program.post(link, headers={"origin": "https://mail.example.net"}, **how)  # type: ignore[arg-type]
            assert answer.status_code == 200
            assert "set-cookie" not in answer.headers

    assert await suppressed(eve) == BOB


async def test_looking_changes_nothing(belfry: Serving, link: str, eve: Person) -> None:
    async with belfry.anonymous() as scanner:
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            await scanner.request(method, link)
        page = await scanner.get(link, headers={"purpose": "prefetch", "sec-purpose": "prefetch;prerender"})

    assert page.status_code == 200
    assert f'<form method="post" action="{link}">' in page.text
    assert await suppressed(eve) == []


async def test_a_person_presses_the_button_and_thinks_again(belfry: Serving, link: str, eve: Person) -> None:
    async with belfry.anonymous() as browser:
        before = await browser.get(link)
        after = await browser.post(form(before), data=ONE_CLICK)
        assert await suppressed(eve) == BOB
        assert after.text == (await browser.get(link)).text != before.text

        back = await browser.post(form(after))
        assert back.status_code == 200
        assert await suppressed(eve) == []
        assert (await browser.get(link)).text == before.text


async def test_subscribing_again_lifts_no_bounce_and_no_admin_s_decision(
    belfry: Serving, link: str, bob: Person, eve: Person
) -> None:
    await eve.post("/v1/suppressions", 201, address=bob.email, scope="broadcasts")
    async with belfry.anonymous() as browser:
        await browser.post(link)
        await browser.post(f"{link}/undo")

    assert await suppressed(eve) == [("bob@example.com", "broadcasts", "manual")]


async def test_the_page_runs_and_loads_nothing_and_tells_nobody_its_address(belfry: Serving, link: str) -> None:
    async with belfry.anonymous() as browser:
        pages = [await browser.get(link), await browser.post(link), await browser.post(f"{link}/undo")]

    for page in pages:
        policy = page.headers["content-security-policy"]
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        [style] = re.findall("<style>(.*)</style>", page.text, re.DOTALL)
        assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
        assert "<script" not in page.text
        assert " style=" not in page.text


async def test_the_page_speaks_the_reader_s_language(belfry: Serving, link: str, db: Database) -> None:
    async with db.statement() as tx:
        await tx.execute(text("UPDATE users SET language = 'zh-CN'"))
    async with belfry.anonymous() as browser:
        page = await browser.get(link)
        nobodys = await browser.get(link[:-2], headers={"accept-language": "zh-CN"})

    assert '<html lang="zh-Hans">' in page.text
    assert "退订" in page.text
    assert '<html lang="zh-Hans">' in nobodys.text
    assert "此链接无效" in nobodys.text


async def test_a_forged_link_is_not_found(belfry: Serving, link: str, bob: Person, eve: Person) -> None:
    forger = UnsubscribeLinks("another key of thirty-two bytes!", public_url="")
    mac = link.rpartition(".")[2]
    forged = [
        forger.url(bob.id, Scope.BROADCASTS),
        link[:-1] + ("A" if link[-1] != "A" else "B"),
        f"/unsubscribe/{eve.id}.broadcasts.{mac}",
        f"/unsubscribe/{bob.id}.all.{mac}",
        "/unsubscribe/x",
        "/unsubscribe/%00",
        "/unsubscribe/%ff.%ff.%ff",
        f"/unsubscribe/{'x' * 5_000}",
        f"{link}%0A",
    ]
    async with belfry.anonymous() as browser:
        for path in forged:
            answers = [await browser.get(path), await browser.post(path), await browser.post(f"{path}/undo")]
            assert [answer.status_code for answer in answers] == [404, 404, 404], path

    assert await suppressed(eve) == []


async def test_the_link_of_a_user_who_is_gone_is_not_found(belfry: Serving, link: str, db: Database) -> None:
    async with db.statement() as tx:
        await tx.execute(text("DELETE FROM users WHERE email = 'bob@example.com'"))
    async with belfry.anonymous() as browser:
        answers = [await browser.get(link), await browser.post(link), await browser.post(f"{link}/undo")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_the_link_is_no_login(belfry: Serving, link: str) -> None:
    token = link.rpartition("/")[2]
    async with belfry.anonymous() as thief:
        for headers in ({"authorization": f"Bearer {token}"}, {"cookie": f"belfry={token}"}):
            assert (await thief.get("/v1/me", headers=headers)).status_code == 401


def form(page: httpx.Response) -> str:
    """Where the page's form goes."""
    [action] = re.findall('action="(.*?)"', page.text)
    return str(action)
