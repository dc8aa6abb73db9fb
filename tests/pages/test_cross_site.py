"""Pages of others, opened by somebody who is logged in to Belfry: they change nothing, and read nothing.

`localhost` is another site. Another port of this host is another origin of the same site, to which browsers do send a
cookie that is SameSite=Lax.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page

from tests.people import PASSWORD, Person
from tests.realtime import chromium
from tests.realtime.chromium import visit
from tests.realtime.raw import eventually
from tests.serving import Serving

pytestmark = chromium.needed

ATTACK = """async ({belfry, login}) => {
    const told = [];
    const attempt = async (what, work) => {
        try { told.push([what, await work()]); } catch (error) { told.push([what, error.name]); }
    };
    const settled = (element, ...names) => new Promise(resolve => {
        for (const name of names) element.addEventListener(name, () => resolve(name));
        document.body.append(element);
    });
    const element = (kind, attributes) => Object.assign(document.createElement(kind), attributes);

    for (const [path, body] of [
        ['/v1/notifications', '{"title": "forged"}'], ['/v1/auth/logout', '{}'], ['/v1/auth/login', login],
        ['/v1/notifications/read', '{"ids": [1]}'], ['/v1/api-keys', '{"name": "x", "scopes": ["read"]}'],
    ]) {
        const [name, value] = body.split(/(?<=.)(?=.$)/s);  // a form of text/plain is name=value: made JSON by the "="
        const form = element('form', {method: 'post', action: belfry + path, enctype: 'text/plain', target: 'sink'});
        form.append(element('input', {name: name.replace(/}?$/, ', "x": "'), value: '"}'}));
        document.body.append(form);
        const sink = element('iframe', {name: 'sink'});
        await settled(sink, 'load');
        const loaded = settled(sink, 'load');
        form.submit();
        await loaded;
        sink.remove();
        for (const type of ['text/plain', 'application/json'])
            for (const mode of ['no-cors', 'cors'])
                await attempt(`${mode} ${type} ${path}`, async () => (await fetch(belfry + path, {
                    method: 'POST', mode, credentials: 'include', body, headers: {'content-type': type},
                })).type);
        navigator.sendBeacon(belfry + path, body);
    }
    for (const path of ['/v1/notifications', '/v1/me', '/schema', '/v1/stream?poll=1']) {
        for (const mode of ['no-cors', 'cors'])
            await attempt(`${mode} read ${path}`, async () =>
                (await (await fetch(belfry + path, {mode, credentials: 'include'})).text()).length);
        await attempt(`image ${path}`, () => settled(element('img', {src: belfry + path}), 'load', 'error'));
        await attempt(`script ${path}`, () => settled(element('script', {src: belfry + path}), 'load', 'error'));
    }
    await attempt('events', () => new Promise(resolve => {
        const source = new EventSource(belfry + '/v1/stream', {withCredentials: true});
        source.onerror = () => { source.close(); resolve('error'); };
        source.onopen = () => resolve('opened');
    }));
    const frame = element('iframe', {src: belfry + '/v1/me'});
    await settled(frame, 'load');
    await attempt('frame', async () => frame.contentWindow.document.body.innerText);
    return told;
}"""


@asynccontextmanager
async def elsewhere() -> AsyncIterator[int]:
    """A server with a page of no particular content; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        page = b"<!doctype html><title>Elsewhere</title><body>"
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        writer.write(head % len(page) + page)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def at_home(page: Page, belfry: Serving, path: str) -> Any:
    """What a page of Belfry's own reads."""
    return await page.evaluate("async url => (await fetch(url)).json()", belfry.url + path)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_page_of_others_changes_nothing_and_reads_nothing(
    belfry: Serving, context: BrowserContext, ada: Person, bob: Person, host: str
) -> None:
    await ada.send("Secret", to=bob.id)
    home = await context.new_page()
    await visit(home, f"{belfry.url}/page", "<!doctype html>")
    before = [await at_home(home, belfry, path) for path in ("/v1/me", "/v1/notifications", "/v1/sessions")]
    login = f'{{"email": "{ada.email}", "password": "{PASSWORD}"}}'
    async with elsewhere() as port:
        page = await context.new_page()
        await page.goto(f"http://{host}:{port}/")
        told = dict(await page.evaluate(ATTACK, {"belfry": belfry.url, "login": login}))
        await eventually(lambda: "chrome-error://chromewebdata/" in [frame.url for frame in page.frames])  # not shown

    assert before[0]["email"] == bob.email
    assert [await at_home(home, belfry, path) for path in ("/v1/me", "/v1/notifications", "/v1/sessions")] == before
    assert (await bob.get("/v1/api-keys")) == []
    assert (await ada.inbox())["items"] == []
    assert belfry.given.live.hub.open == 0
    read = {what: answer for what, answer in told.items() if answer not in ("TypeError", "error", "opaque", 0)}
    assert read == {"frame": "SecurityError"}


async def test_the_same_requests_work_at_home(belfry: Serving, context: BrowserContext, bob: Person) -> None:
    """So that the test above fails for the right reason."""
    page = await context.new_page()
    await visit(page, f"{belfry.url}/page", "<!doctype html>")
    told = dict(await page.evaluate(ATTACK, {"belfry": belfry.url, "login": "{}"}))

    assert told["cors application/json /v1/notifications"] == "basic"
    assert [item["title"] for item in (await bob.inbox())["items"]] == ["forged"]
