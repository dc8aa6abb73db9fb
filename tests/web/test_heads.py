"""The head of a request is bounded, before anybody knows whose it is."""

from collections.abc import Iterable

import pytest

from tests.realtime.raw import Raw, connected
from tests.serving import Serving

KIB = 1024
FIRST = b"GET /health/live HTTP/1.1\r\nhost: here\r\n"
CHUNKED = (
    b"POST /v1/auth/login HTTP/1.1\r\nhost: here\r\n"
    b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
)
MANY = b"".join(b"x-%d: %s\r\n" % (n, b"x" * 100) for n in range(400))


async def answered(raw: Raw, pieces: Iterable[bytes]) -> bytes:
    """The status line that these pieces end with; the connection may be cut while we still send."""
    try:
        for piece in pieces:
            await raw.send(piece)
    except ConnectionError:
        pass
    await raw.until(lambda received: b"\r\n" in received)
    return raw.head.partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET /" + b"x" * 40 * KIB + b" HTTP/1.1\r\nhost: here\r\n\r\n"],
        [FIRST, b"cookie: " + b"x" * 40 * KIB + b"\r\n\r\n"],
        [FIRST, b"cookie: ", *[b"x" * KIB] * 40],
        [b"GET /", *[b"x" * KIB] * 40],
        [FIRST + MANY + b"\r\n"],
        [CHUNKED, b"2\r\n{}\r\n0\r\n", MANY],
        [CHUNKED, b"2\r\n{}\r\n0\r\nx: ", *[b"x" * KIB] * 600],  # more than is read at once, with the body before it
    ],
    ids=[
        "address",
        "header",
        "no end of a header",
        "no end of an address",
        "headers",
        "trailers",
        "no end of a trailer",
    ],
)
async def test_a_head_that_is_too_large_is_refused_and_hung_up_on(belfry: Serving, pieces: list[bytes]) -> None:
    async with connected(belfry.url) as raw:
        assert await answered(raw, pieces) == b"http/1.1 431 request header fields too large"
        await raw.end()


async def test_what_is_large_and_no_head_or_not_too_large_is_taken(belfry: Serving) -> None:
    async with connected(belfry.url) as raw:
        for _ in range(5):
            raw.received.clear()
            assert await answered(raw, [FIRST, b"cookie: " + b"x" * 31 * KIB + b"\r\n\r\n"]) == b"http/1.1 200 ok"
        raw.received.clear()
        body = b'{"email": "' + b"x" * 60 * KIB + b'"}'
        pieces = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:KIB], body[KIB:])]
        assert await answered(raw, [CHUNKED, *pieces, b"0\r\n\r\n"]) == b"http/1.1 422 unprocessable entity"
