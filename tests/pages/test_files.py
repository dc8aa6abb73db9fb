"""How the files that browsers load are served, and what the bell weighs."""

import gzip
import re

import httpx
import pytest

from belfry.web.pages import PAGES, files
from tests.serving import Serving

BELL = [name for name in files() if not name.startswith("app/")]
SCRIPTS = [name for name in BELL if name.endswith(".js")]
LIMIT = 20 * 1024


@pytest.fixture
async def pages(belfry: Serving) -> httpx.AsyncClient:
    return belfry.anonymous()


@pytest.mark.parametrize("name", BELL)
async def test_every_file_is_served_to_pages_of_any_site(pages: httpx.AsyncClient, name: str) -> None:
    async with pages:
        answer = await pages.get(f"/{name}", headers={"accept-encoding": "identity", "origin": "https://any.example"})
        head = await pages.head(f"/{name}", headers={"accept-encoding": "identity"})
        zipped = await pages.get(f"/{name}", headers={"accept-encoding": "gzip"})

    kind = "text/javascript" if name.endswith(".js") else "text/plain"
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(answer.content)))
    assert (zipped.headers["content-encoding"], zipped.content) == ("gzip", answer.content)
    assert zipped.headers["etag"] != answer.headers["etag"]


async def test_what_a_browser_has_is_not_sent_again(pages: httpx.AsyncClient) -> None:
    async with pages:
        for encoding in ("identity", "gzip"):
            first = await pages.get("/bell.js", headers={"accept-encoding": encoding})
            known = {"accept-encoding": encoding, "if-none-match": f'"other", W/{first.headers["etag"]}'}
            again = await pages.get("/bell.js", headers=known)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
            other = await pages.get("/bell.js", headers={"accept-encoding": encoding, "if-none-match": '"other"'})
            assert other.status_code == 200


async def test_nothing_else_is_served(pages: httpx.AsyncClient) -> None:
    names = ["", "none.js", "..%2fbell.js", "..%2f..%2fapp.py", "%2e%2e/app.py", "bell.js%00", "store.js/x"]
    async with pages:
        answers = [await pages.get(f"/bell/{name}") for name in names]

    assert [answer.status_code for answer in answers] == [404] * len(names)


def test_all_modules_together_are_small() -> None:
    sizes = {name: len(files()[name].compressed[1]) for name in SCRIPTS}

    assert sum(sizes.values()) <= LIMIT, sizes


def test_only_comments_and_indentation_are_left_out() -> None:
    for name in SCRIPTS:
        source, served = (PAGES / name).read_text(), gzip.decompress(files()[name].compressed[1]).decode()
        assert len(served.split("\n")) == len(source.split("\n"))  # a browser's line numbers are the source's
        for there, here in zip(source.split("\n"), served.split("\n"), strict=True):
            assert (
                there.strip() == here or re.match(r"//|/?\*", there.strip()) or there.strip().startswith(f"{here} //")
            )
        assert not re.search(r"^[^/]*[\"'`][^\"'`]*\s//", served, re.MULTILINE)


def test_modules_load_nothing_from_elsewhere() -> None:
    for name in SCRIPTS:
        source = (PAGES / name).read_text()
        for imported in re.findall(r'from "(.*?)"', source):
            assert imported.startswith("./")
        assert set(re.findall(r"https?://[\w.]+", source)) <= {"http://www.w3.org"}
        assert "innerHTML" not in re.sub(r"//.*", "", source)


async def test_the_types_name_what_the_element_has(pages: httpx.AsyncClient) -> None:
    declared = (PAGES / "bell.d.ts").read_text()
    source = (PAGES / "bell.js").read_text()
    public = set(re.findall(r"^  (?:get |set |async )?([a-z]\w*)\(", source, re.MULTILINE))
    public -= {"constructor", *(name for name in public if name.endswith("Callback"))}

    for name in public:
        assert re.search(rf"\b{name}\b", declared), name
