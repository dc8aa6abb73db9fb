"""What Belfry promises, in the words the report uses. `verdict/` names each by its number."""

PROMISES = {
    1: "what was answered with 2xx is in the database, whatever died",
    2: "every accepted e-mail comes to one end; a repeat has one of three reasons, and the same Message-ID",
    3: "after the last fault everything due is tried within lease, sweep and backoff",
    4: "a stream that stays or comes back tells every change of its user, once and in order, or says reset",
    5: "events are fresh: by Redis at once, without it within the position check",
    6: "the badge is what the database held at that change number",
    7: "one idempotency key and body have one effect and one answer; another body is refused",
    8: "nobody is shown or sent what is another's",
    9: "without Redis or SMTP requests are only slower; without PostgreSQL they are refused in time, never lied to",
    10: "SIGTERM is obeyed in time: 10 s for a web process, 30 s for a worker",
}

WEB_SECONDS = 10.0
WORKER_SECONDS = 30.0
