"""A site that embeds the bell: another origin, with a content security policy that allows nothing it need not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Another site</title>
<link rel="stylesheet" href="/style.css">
<h1>Another site</h1>
<div class="clipped"><belfry-bell></belfry-bell></div>
<script type="module" src="{belfry}/bell.js"></script>
<script type="module" src="/script.js"></script>
"""
# What pages do to everything, and must not do to the bell.
STYLE = """* { color: red !important; font: italic 30px serif; letter-spacing: 1em; text-transform: uppercase; }
button, li, p, h2 { display: none; background: red; padding: 99px; }
.clipped { overflow: hidden; height: 50px; width: 50px; float: right; }
.row { display: none !important; }"""
SCRIPT = """window.asked = [];
window.violations = [];
addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective));
const tokens = TOKENS;
document.querySelector('belfry-bell').token = async refused => {
  asked.push(refused ?? null);
  return tokens[Math.min(asked.length, tokens.length) - 1];
};"""
POLICY = (
    "default-src 'none'; script-src 'self' {belfry}; connect-src {belfry}; style-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


@asynccontextmanager
async def embedding(belfry: str, tokens: str, port: int) -> AsyncIterator[str]:
    """The site's address; `tokens` is a list in JSON: what its token provider gives, one after the other."""
    files = {
        "/": ("text/html", PAGE.format(belfry=belfry)),
        "/style.css": ("text/css", STYLE),
        "/script.js": ("text/javascript", SCRIPT.replace("TOKENS", tokens)),
    }

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        kind, content = files.get(request.split()[1], ("text/plain", ""))
        head = [
            "HTTP/1.1 200 OK",
            f"content-type: {kind}; charset=utf-8",
            f"content-length: {len(content.encode())}",
            f"content-security-policy: {POLICY.format(belfry=belfry)}",
            "cross-origin-embedder-policy: require-corp",
            "connection: close",
        ]
        writer.write("\r\n".join([*head, "", content]).encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", port):
        yield f"http://localhost:{port}/"
