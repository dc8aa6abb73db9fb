"""HTTP/1.1 as cheaply as Python can: the client must not be what is measured."""

import asyncio
import json
from typing import Any


class Unexpected(Exception):
    """An answer that is not the one the benchmark is about."""


def request(method: str, path: str, *, token: str = "", body: Any = None) -> str:
    """The text of a request; an answer has a `content-length` and leaves the connection open."""
    content = "" if body is None else json.dumps(body)
    head = [f"{method} {path} HTTP/1.1", "host: localhost"]
    head += [f"authorization: Bearer {token}"] if token else []
    head += ["content-type: application/json", f"content-length: {len(content)}"] if content else []
    return "\r\n".join([*head, "", content])


class Answers(asyncio.Protocol):
    """A keep-alive connection with at most one request on its way."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._begun = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._begun = data = self._begun + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return
        at = data.find(b"content-length: ", 0, end) + 16
        whole = end + 4 + int(data[at : data.find(b"\r", at)])
        if len(data) < whole:
            return
        self._begun = b""
        self.answered(int(data[9:12]), data[end + 4 : whole])

    def answered(self, status: int, body: bytes) -> None:
        raise NotImplementedError


class Asking(Answers):
    """One request after the other."""

    def __init__(self, expect: int) -> None:
        super().__init__()
        self._expect = expect
        self._answer: asyncio.Future[bytes]

    def ask(self, request: bytes) -> "asyncio.Future[bytes]":
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer

    def answered(self, status: int, body: bytes) -> None:
        if status == self._expect:
            self._answer.set_result(body)
        else:
            self._answer.set_exception(Unexpected(f"{status} {body[:500]!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "_answer") and not self._answer.done():
            self._answer.set_exception(Unexpected(f"the connection ended: {exc}"))
