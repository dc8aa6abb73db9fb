"""What the generator is asked to do, and what it answers: both ends of the wire between it and the benchmark."""

import msgspec

NOW = "@" * 20  # in a request: becomes the time of its sending
TIMEOUT = 60.0  # seconds for what was written to reach the last stream


class Open(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Open streams, `in_flight` at a time, each with a request of its own, and keep them.

    `checked`: every stream is to see every number once and in order. `users` are whose streams these are.
    """

    port: int
    requests: list[str]
    users: list[int]
    checked: bool
    in_flight: int = 64


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """`seconds` from the first connect to the last `open` event."""

    streams: int
    seconds: float


class Return(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The server has died and is back: have all streams come back at once, each to where it was."""

    port: int


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """`seconds` from the first connect to the last `open` event; `took` are those of each stream, in milliseconds."""

    seconds: float
    took: list[float]


class Posts(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Publish by requests to the API: `at_once` of them, on as many connections."""

    port: int
    request: str
    at_once: int = 1


class Command(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Have the baseline write a frame to all its streams."""

    redis_url: str
    frame: bytes


class Fan(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Publish to all streams, `times` times, begun `apart` seconds from each other and never two together."""

    by: Posts | Command
    times: int
    apart: float


class Fanned(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, one a time: from the first frame read to the last, and from before the publishing to the last."""

    spread: list[float]
    whole: list[float]


class Flood(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Publish personal messages to Redis, at most `window` ahead of what was read from the streams; see `Drip`."""

    redis_url: str
    bare: bool
    messages: int
    window: int = 4_000


class Flooded(msgspec.Struct, frozen=True, kw_only=True):
    seconds: float


class Drip(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Publish personal messages to Redis at a steady pace, to streams drawn at random; `bare`: to the baseline's."""

    redis_url: str
    bare: bool
    messages: int
    per_second: float


class Ask(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Send one of the requests at a time, at a steady pace.

    A request may hold `NOW`: it is replaced by the time of its sending, which an event then brings back.
    """

    port: int
    requests: list[str]
    expect: int
    times: int
    per_second: float


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds until the event was read, and until the answer was. `late` were sent 5 ms and more after their time.

    Events whose stream another process holds are counted there: see `Look`.
    """

    events: list[float]
    answers: list[float]
    late: int


class Churn(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Open a stream, read its first event, vanish; so for `seconds`, `in_flight` at a time."""

    port: int
    requests: list[str]
    seconds: float
    in_flight: int = 16


class Churned(msgspec.Struct, frozen=True, kw_only=True):
    streams: int


class Look(msgspec.Struct, frozen=True, tag=True):
    """Say what the streams have seen so far."""


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """Where a stream is, and the badge it has counted up to there."""

    user_id: int
    inbox: int
    broadcasts: int
    badge: int


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """`violations` are numbers that came twice, late or never; `frame` is the last one that came."""

    events: int
    violations: int
    lost: int
    frame: bytes
    standings: list[Standing]


class Close(msgspec.Struct, frozen=True, tag=True):
    """Drop all streams."""


class Closed(msgspec.Struct, frozen=True):
    pass


Job = Open | Return | Fan | Flood | Drip | Ask | Churn | Look | Close
Answer = Opened | Returned | Fanned | Flooded | Took | Churned | Seen | Closed
