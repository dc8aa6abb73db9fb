"""The files that browsers load: the bell as ES modules, for pages of any site, and the application, for our own."""

import gzip
import re
from base64 import urlsafe_b64encode
from functools import cache
from hashlib import blake2b
from pathlib import Path

import msgspec
from litestar import Controller, Request, Response, route
from litestar.datastructures import State
from litestar.enums import HttpMethod
from litestar.params import FromPath, FromQuery

from belfry.errors import NotFound

PAGES = Path(__file__).parent.parent / "pages"
TYPES = {
    ".js": "text/javascript",
    ".ts": "text/plain",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
}
READ = [HttpMethod.GET, HttpMethod.HEAD]
UNREAD = re.compile(rb"^[ \t]*(?://|/?\*).*$|[ \t]+// .*$|^[ \t]+", re.MULTILINE)
"""Comments to the end of a line, and indentation: a quarter of what would be sent, and their readers are here."""

PARTS = re.compile(rb'(?<=")(?=(?:app|bell)/[^"]+\.(?:js|css)")')
"""Where the application's page names a part of it."""

HEADERS = {
    "cache-control": "no-cache",  # kept, but asked about each time: all modules are of one version
    "vary": "accept-encoding",
}
# what is asked for by its version is never another (RFC 8246)
KEPT = {"cache-control": "public, max-age=31536000, immutable"}
# modules are fetched with CORS, and by pages that embed nothing without this header's word
OF_ANY_SITE = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}

MOST = 99  # what fits on an icon

Call = Request[None, None, State]


class File(msgspec.Struct, frozen=True):
    """A file as it is and compressed, each with its ETag."""

    content_type: str
    plain: tuple[str, bytes]
    compressed: tuple[str, bytes]


class PageController(Controller):
    opt = {"exclude_from_auth": True}
    include_in_schema = False

    @route("/bell.js", http_method=READ)
    async def bell(self, request: Call) -> Response[bytes]:
        return _answer(request, "bell.js")

    @route("/bell.d.ts", http_method=READ)
    async def types(self, request: Call) -> Response[bytes]:
        return _answer(request, "bell.d.ts")

    @route("/bell/{name:str}", http_method=READ)
    async def module(self, request: Call, name: FromPath[str]) -> Response[bytes]:
        return _answer(request, f"bell/{name}")

    @route("/", http_method=READ)
    async def application(self, request: Call) -> Response[bytes]:
        return _sent(request, _page(), {})

    @route("/app/icon.svg", http_method=READ)
    async def icon(self, request: Call, unread: FromQuery[int] = 0) -> Response[bytes]:
        """The application's icon with the badge on it: a page of ours may not draw one itself (`img-src 'self'`)."""
        return _sent(request, _icon(min(max(unread, 0), MOST + 1)), {})

    @route("/app/{path:path}", http_method=READ)
    async def part(self, request: Call, path: FromPath[str]) -> Response[bytes]:
        return _answer(request, f"app{path}")

    @route("/v/{wanted:str}/{path:path}", http_method=READ)
    async def versioned(self, request: Call, wanted: FromPath[str], path: FromPath[str]) -> Response[bytes]:
        """A part as the application's page names it. While Belfry is updated, that page may be another process's."""
        return _answer(request, path.removeprefix("/"), KEPT if wanted == version() else {})


@cache
def version() -> str:
    """Of all files together: modules name each other, so that one that changed is another for all."""
    return _digest("".join(file.plain[0] for file in files().values()).encode())


@cache
def _page() -> File:
    """The application's page. Its parts it names by the version: nobody asks for one again."""
    page = (PAGES / "app/index.html").read_bytes()
    return _file(".html", PARTS.sub(f"v/{version()}/".encode(), page))


@cache
def files() -> dict[str, File]:
    """Everything served, by its path. What a caller asks for is looked up here and never becomes a path."""
    return {
        path.relative_to(PAGES).as_posix(): _read(path) for path in sorted(PAGES.rglob("*")) if path.suffix in TYPES
    }


def _read(path: Path) -> File:
    content = path.read_bytes()
    if path.suffix == ".js":
        content = UNREAD.sub(b"", content)  # the line breaks stay: a browser's line numbers are ours
    return _file(path.suffix, content)


def _file(suffix: str, content: bytes) -> File:
    return File(TYPES[suffix], _tagged(content), _tagged(gzip.compress(content, mtime=0)))


def _tagged(content: bytes) -> tuple[str, bytes]:
    return f'"{_digest(content)}"', content


def _digest(content: bytes) -> str:
    return urlsafe_b64encode(blake2b(content, digest_size=12).digest()).decode()


@cache
def _icon(unread: int) -> File:
    """The icon, with a number or what is more than that."""
    drawing = (PAGES / "app/icon.svg").read_text()
    if not unread:
        drawing = re.sub(r"<g id=\"badge\">.*?</g>", "", drawing, flags=re.DOTALL)
    return _file(".svg", drawing.replace("{unread}", str(unread) if unread <= MOST else "∞").encode())


def _answer(request: Call, path: str, kept: dict[str, str] | None = None) -> Response[bytes]:
    file = files().get(path)
    if file is None:
        raise NotFound("There is no such file.")
    return _sent(request, file, {**({} if path.startswith("app/") else OF_ANY_SITE), **(kept or {})})


def _sent(request: Call, file: File, more: dict[str, str]) -> Response[bytes]:
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    tag, content = file.compressed if zipped else file.plain
    headers = {**HEADERS, **more, "etag": tag, **({"content-encoding": "gzip"} if zipped else {})}
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=file.content_type)
    body = b"" if request.method == HttpMethod.HEAD else content
    if request.method == HttpMethod.HEAD:
        headers["content-length"] = str(len(content))
    return Response(body, headers=headers, media_type=file.content_type)
