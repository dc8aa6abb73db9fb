"""Sending a request until it is answered, wherever the answer can be had, and writing down every try."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Sequence
from typing import Any

import httpx

from tests.realtime.returning import Login
from tests.soak.evidence import Try

ANSWER_SECONDS = 12.0
PAUSE = (0.1, 0.6)


class Requests:
    """Asks one web process after the other, unless told which."""

    def __init__(self, client: httpx.AsyncClient, urls: Sequence[str]) -> None:
        self._client = client
        self._urls = urls
        self._turn = itertools.cycle(range(len(urls)))

    async def once(
        self,
        login: Login,
        method: str,
        path: str,
        *,
        tries: list[Try],
        at: int | None = None,
        key: str | None = None,
        body: dict[str, Any] | None = None,
    ) -> Any:
        """One try. Returns what a 2xx carried, or None."""
        url = self._urls[next(self._turn) if at is None else at]
        headers = dict(login.headers)
        if body is not None:
            headers["content-type"] = "application/json"
        if key is not None:
            headers["idempotency-key"] = key
        began = time.time()
        try:
            answer = await self._client.request(
                method, url + path, headers=headers, content=None if body is None else json.dumps(body)
            )
        except httpx.TransportError as error:
            tries.append(Try(began=began, ended=time.time(), at=url, status=None, text=repr(error)))
            return None
        tries.append(
            Try(
                began=began,
                ended=time.time(),
                at=url,
                status=answer.status_code,
                retry_after="retry-after" in answer.headers,
                text="" if answer.is_success else answer.text,
            )
        )
        return answer.json() if answer.is_success else None

    async def until_answered(
        self, login: Login, path: str, *, tries: list[Try], key: str | None = None, body: dict[str, Any]
    ) -> Any:
        """Try until somebody says yes, or no for good. Returns what the yes carried, or None."""
        while True:
            found = await self.once(login, "POST", path, tries=tries, key=key, body=body)
            if found is not None:
                return found
            if tries[-1].status not in (None, 503):
                return None
            await asyncio.sleep(random.uniform(*PAUSE))
