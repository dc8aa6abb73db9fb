"""Nothing a caller sends is our fault: every bad request is a 4xx that says what was wrong, and changes nothing."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
from sqlalchemy import text

from belfry.web.languages import said
from db import Database
from db.models import metadata
from tests.people import Person
from tests.serving import Serving
from tests.web import attempts
from tests.web.attempts import PASSWORD, ROUTES, Attempt
from tests.web.sentences import is_english

PROGRAMMERS_WORDS = re.compile(r"`(?:str|int|array|object|null)\b|regex|\benum\b|\bkwarg")


async def row_counts(db: Database) -> dict[str, int]:
    async with db.statement() as tx:
        return {
            table.name: int(await tx.scalar(text(f"SELECT count(*) FROM {table.name}")))  # noqa: S608
            for table in metadata.sorted_tables
        }


async def the_document(belfry: Serving) -> dict[str, Any]:
    async with belfry.anonymous() as client:
        answer = await client.get("/schema")
    document: dict[str, Any] = answer.json()
    return document


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(m.upper(), path): each for path, item in document["paths"].items() for m, each in item.items()}


def filled(path: str) -> str:
    """A path of the document with a number for each parameter."""
    return re.sub(r"\{\w+\}", "1", path)


def operation_of(attempt: Attempt, document: dict[str, Any]) -> dict[str, Any] | None:
    """What the document says of the route an attempt goes to; fixed paths come before patterns."""
    path = attempt.path.partition("?")[0]
    for pattern in sorted(document["paths"], key=lambda each: "{" in each):
        if re.fullmatch(re.sub(r"\{\w+\}", r"-?\\d+", pattern), path):
            return operations(document).get((attempt.method, pattern))
    return None


def in_chinese(problem: dict[str, Any]) -> list[str]:
    """What a caller who prefers Chinese is told instead; that it is, test_languages.py sees."""
    told = [error["message"] for error in problem["errors"]] or [problem["detail"]]
    return [said(each, "zh-Hans") for each in (problem["title"], *told)]


def complaint(attempt: Attempt, answer: httpx.Response, document: dict[str, Any]) -> str | None:
    """What is wrong with an answer, if anything."""
    if answer.status_code != attempt.status:
        return f"status {answer.status_code}"
    if answer.headers.get("content-type") != "application/problem+json":
        return f"content type {answer.headers.get('content-type')}"
    problem = answer.json()
    if list(problem) != ["type", "title", "status", "detail", "errors"] or problem["status"] != attempt.status:
        return "not problem details"
    if not problem["detail"] or PROGRAMMERS_WORDS.search(problem["detail"]):
        return "not in plain words"
    if attempt.field is not None and attempt.field not in [error["field"] for error in problem["errors"]]:
        return f"does not name {attempt.field}"
    if any(is_english(each) for each in in_chinese(problem)):
        return "has no Chinese"
    if PASSWORD in answer.text:
        return "echoes a password"
    operation = operation_of(attempt, document)
    if operation is not None and str(attempt.status) not in operation["responses"]:
        return "is not a documented status"
    return None


async def test_every_bad_request_is_refused_in_plain_words_and_writes_nothing(
    belfry: Serving, ada: Person, eve: Person, db: Database
) -> None:
    document = await the_document(belfry)
    before = await row_counts(db)
    complaints = []
    for attempt in attempts.everything():
        headers = {name.encode(): value.encode("latin-1") for name, value in attempt.headers.items()}
        who = eve if attempt.by_admin else ada
        answer = await who.client.request(attempt.method, attempt.path, content=attempt.body, headers=headers)
        if why := complaint(attempt, answer, document):
            complaints.append((why, attempt.method, attempt.path[:80], (attempt.body or b"")[:80], answer.text[:200]))

    assert complaints == []
    assert await row_counts(db) == before


async def test_every_route_that_takes_json_has_a_row_in_the_table(belfry: Serving) -> None:
    document = await the_document(belfry)
    taking = {path for (_, path), operation in operations(document).items() if "requestBody" in operation}

    assert taking == set(ROUTES)


async def test_every_route_refuses_other_methods_and_says_which_it_has(belfry: Serving, ada: Person) -> None:
    paths = {path: set(item) for path, item in (await the_document(belfry))["paths"].items()}
    for path, methods in paths.items():
        for method in {"get", "post", "put", "patch", "delete", "propfind"} - methods:
            answer = await ada.client.request(method, filled(path))

            assert answer.status_code == 405, (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert methods <= {allowed.strip().lower() for allowed in answer.headers["allow"].split(",")}


async def test_every_route_that_is_not_public_wants_a_login(belfry: Serving) -> None:
    async with belfry.anonymous() as client:
        for (method, path), operation in operations(await the_document(belfry)).items():
            if operation.get("security") == []:
                continue
            answer = await client.request(method, filled(path), json={})

            assert (answer.status_code, path) == (401, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_over_the_limit_is_refused_also_when_its_length_is_not_announced(
    eve: Person, db: Database
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"title":"'
        for _ in range(8):
            yield b"x" * 10_000
        yield b'"}'

    before = await row_counts(db)
    answers = [
        await eve.client.request(route.method, filled(path), content=chunks(), headers=attempts.JSON)
        for path, route in ROUTES.items()
    ]

    assert {answer.status_code for answer in answers} == {413}
    assert {answer.json()["detail"] for answer in answers} == {"The body is larger than 64 KiB."}
    assert await row_counts(db) == before


async def test_a_deeply_nested_body_does_not_hold_up_anybody_else(ada: Person, bob: Person) -> None:
    async with asyncio.timeout(5):
        nested = ada.client.post("/v1/notifications", content=attempts.DEEP_ENOUGH_TO_DECODE, headers=attempts.JSON)
        refused, unread = await asyncio.gather(nested, bob.unread())

    assert (refused.status_code, unread) == (422, 0)


async def test_a_page_beyond_the_last_is_empty(ada: Person) -> None:
    await ada.send()
    await ada.broadcast()
    await ada.post("/v1/schedules", 201, name="One", cron="@daily", title="x")
    for path in ("/v1/notifications", "/v1/notifications/sent", "/v1/broadcasts", "/v1/schedules"):
        first, last = await ada.get(path, page_size=1), await ada.get(path, page=10_000, page_size=100)

        assert len(first["items"]) == 1
        assert (last["items"], last["next_cursor"]) == ([], None)


async def test_what_belongs_to_others_does_not_exist_for_a_stranger(ada: Person, bob: Person, eve: Person) -> None:
    sent = await ada.send(to=bob.id)
    path = f"/v1/notifications/{sent['id']}"

    assert (await eve.client.get(path)).status_code == 404
    assert (await eve.client.delete(path)).status_code == 404
    for how in ("read", "unread", "delete"):
        await eve.mark(how, ids=[sent["id"]])
    await eve.mark("read", through=sent["id"])
    await eve.mark("delete", through=sent["id"])
    [item] = (await bob.inbox())["items"]
    assert item["state"] == "unread"


def forged(header: Any, claims: Any = None) -> bytes:
    """Something of the form of a signed token."""
    parts = (json.dumps(each).encode() for each in (header, claims or {"sub": "1", "sid": 1}))
    return b".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts), b"c2lnbmF0dXJl"])


GARBAGE = [
    b"\xff",
    b"\xc3\x28",
    b"x" * 4_097,
    b"a.b.c",
    b"...",
    b"blf_",
    b"blf_\xff",
    forged({"alg": "none", "typ": "JWT"}),
    forged({"alg": "HS256", "kid": []}),
    forged({"alg": "HS256", "kid": {"a": 1}}),
    forged({"alg": "HS256", "kid": "x" * 1_000}),
    forged([1]),
    forged({"alg": ["HS256"]}),
    forged({"alg": "HS256", "crit": ["exp"], "b64": False}),
    forged({"alg": "HS256"}, [1]),
]


async def test_credentials_that_are_garbage_are_refused_whatever_they_hold(belfry: Serving, bob: Person) -> None:
    async with belfry.anonymous() as client:
        for garbage in GARBAGE:
            for headers in ({b"authorization": b"Bearer " + garbage}, {b"cookie": b"belfry=" + garbage}):
                answer = await client.get("/v1/me", headers=headers)
                assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), (
                    garbage
                )
        for scheme in (b"", b"Bearer", b"Bearer x y", b"bearer\tx", b"Basic eDp5", b"\xff\xff"):
            assert (await client.get("/v1/me", headers={b"authorization": scheme})).status_code == 401
    for last in (b"\xff", b"9" * 5_000, b"-1.-1", b"41.7\xa0", b"1e3.0", "\u0664.\u0661".encode()):
        answer = await bob.client.get("/v1/stream?poll=1", headers={b"last-event-id": last})
        assert (answer.status_code, "event: reset" in answer.text) == (200, True), last
