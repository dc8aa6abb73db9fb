"""The OpenAPI document says everything a caller must know."""

import re
from typing import Any

import pytest

from belfry.web.access import ACCESS, Who
from tests.people import Person
from tests.serving import Serving
from tests.web.test_bad_input import operations, the_document

PUBLIC = {route for route, access in ACCESS.items() if access.who is Who.ANYBODY}


@pytest.fixture
async def document(belfry: Serving) -> dict[str, Any]:
    return await the_document(belfry)


def references(part: object) -> set[str]:
    match part:
        case dict():
            own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*(references(each) for each in part.values()))
        case list():
            return set[str]().union(*(references(each) for each in part))
    return set()


def test_every_operation_is_described_and_shown_by_example(document: dict[str, Any]) -> None:
    lacking = []
    for (method, path), operation in operations(document).items():
        if not operation.get("summary") or not operation.get("description") or not operation.get("tags"):
            lacking.append((method, path, "description"))
        answers = {status: each for status, each in operation["responses"].items() if status != "204"}
        bodies = [operation["requestBody"], *answers.values()] if "requestBody" in operation else list(answers.values())
        for body in bodies:
            lacking += [(method, path, kind) for kind, media in body["content"].items() if "example" not in media]
        if not any(status.startswith("2") for status in operation["responses"]):
            lacking.append((method, path, "success"))

    assert lacking == []


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for key, operation in operations(document).items():
        errors = {status: each for status, each in operation["responses"].items() if status >= "400"}
        if key == ("GET", "/health/ready"):
            assert list(errors["503"]["content"]) == ["application/json"]
            continue
        for status, each in errors.items():
            [(kind, media)] = each["content"].items()
            assert (kind, media["example"]["status"]) == ("application/problem+json", int(status))
        assert key[1] in ("/health/live", "/metrics") or "503" in errors
        assert key in PUBLIC or "401" in errors
        assert "requestBody" not in operation or {"400", "413", "415", "422"} <= set(errors)


def test_exactly_the_public_routes_need_no_login(document: dict[str, Any]) -> None:
    assert document["security"] == [{"token": []}, {"cookie": []}]
    assert {key for key, operation in operations(document).items() if operation.get("security") == []} == PUBLIC


def test_the_stream_is_documented(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/stream"]["get"]

    assert {(each["in"], each["name"]) for each in operation["parameters"]} == {
        ("header", "Last-Event-ID"),
        *(("query", name) for name in ("last_event_id", "format", "types", "poll")),
    }
    assert operation["security"] == [{"token": []}, {"cookie": []}, {"ticket": []}]
    assert document["components"]["securitySchemes"]["ticket"]["in"] == "query"
    opened = '{"resumed":true,"replayed":0,"unread":3}'
    shown = {kind: media["example"] for kind, media in operation["responses"]["200"]["content"].items()}
    assert shown == {
        "text/event-stream": f":\n\nretry: 2000\nid: 41.7\nevent: open\ndata: {opened}\n\n",
        "application/x-ndjson": f'{{"event":"open","id":"41.7","data":{opened}}}\n',
        "text/plain": "connected, 0 missed, 3 unread\n",
    }
    assert {"401", "405", "406", "422", "429", "503"} <= set(operation["responses"])


def test_the_document_holds_together(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    ids = [operation["operationId"] for operation in operations(document).values()]

    assert document["openapi"].startswith("3.1")
    assert references(document) <= known
    assert len(set(ids)) == len(ids)
    for (_, path), operation in operations(document).items():
        in_path = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))


async def test_the_examples_of_sending_are_accepted(document: dict[str, Any], ada: Person, bob: Person) -> None:
    for path in ("/v1/notifications", "/v1/broadcasts", "/v1/alerts", "/v1/schedules"):
        operation = document["paths"][path]["post"]
        body = operation["requestBody"]["content"]["application/json"]["example"]
        [(status, response)] = [each for each in operation["responses"].items() if each[0] < "300"]
        shown = response["content"]["application/json"]["example"]
        answer = await ada.post(path, int(status), **body)

        assert list(answer) == list(shown)
