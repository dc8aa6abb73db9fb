"""The mail caught on a machine of one's own, as admins see it, and nobody else."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from belfry.settings import Settings
from tests.people import Person
from tests.serving import Serving
from tests.up.test_mailbox import letter, put


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return msgspec.structs.replace(settings, mail_catcher_dir=str(tmp_path))


async def test_a_caught_mail_is_shown_and_can_do_nothing(eve: Person, tmp_path: Path) -> None:
    sent = letter("Läuft").as_bytes()
    put(tmp_path, "7.M1P2Q3.host", sent, age=5)
    put(tmp_path, "8.M1P2Q3.host", b"Subject: plain\n\nonly text\n")
    newest, mail = await eve.get("/dev/mail")
    page = await eve.client.get(f"/dev/mail/{mail['id']}/page")
    source = await eve.client.get(f"/dev/mail/{mail['id']}/source")

    assert (mail["id"], mail["subject"], mail["html"]) == ("7.M1P2Q3.host", "Läuft", "<p>Läuft.</p>\n")
    assert [each["id"] for each in await eve.get("/dev/mail", limit=1)] == [newest["id"]]
    assert (page.text, page.headers["content-type"]) == ("<p>Läuft.</p>\n", "text/html; charset=utf-8")
    assert (source.text, source.headers["content-type"]) == (sent.decode(), "text/plain; charset=utf-8")
    for answer in (page, source):
        policy = answer.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "sandbox", "frame-ancestors 'self'"} <= set(policy)
        assert not any(part.startswith("script-src") for part in policy)
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_name_leads_nowhere_else(eve: Person, tmp_path: Path) -> None:
    put(tmp_path, "7.M1P2Q3.host", letter("x").as_bytes())
    (tmp_path / "secret").write_text("not a mail")
    for name in ("..%2fsecret", "..%2f..%2fsecret", "secret", "7.M1P2Q3", "%00", "new"):
        answer: Any = await eve.client.get(f"/dev/mail/{name}/source")
        assert answer.status_code == 404, name


async def test_only_admins_see_it_and_only_where_mail_is_caught(belfry: Serving, ada: Person, tmp_path: Path) -> None:
    put(tmp_path, "7.M1P2Q3.host", letter("x").as_bytes())
    paths = ["/dev/mail", *(f"/dev/mail/7.M1P2Q3.host/{part}" for part in ("page", "source"))]
    async with belfry.anonymous() as nobody:
        assert [(await nobody.get(path)).status_code for path in paths] == [401] * 3
        assert (await nobody.get("/v1/auth/rules")).json()["mail_is_caught"] is True
    assert [(await ada.client.get(path)).status_code for path in paths] == [403] * 3
