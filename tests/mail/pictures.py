"""`just pictures`: our mails and pages as people see them, in light and dark, wide and narrow; to be looked at."""

import asyncio
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import msgspec
from playwright.async_api import async_playwright

from belfry.accounts.links import PAGES
from belfry.mail.phrases import phrases
from belfry.web import unsubscribe
from db.models import MailKind
from tests.mail.test_letters import LETTER, LETTERHEAD, ONE_TIME, security
from tests.realtime.chromium import ARGUMENTS, CHROMIUM

DIRECTORY = Path("pictures")
WIDTHS = {"wide": 900, "narrow": 360}

PLAIN = msgspec.structs.replace(
    LETTER,
    notification_id=42,
    time_zone="Europe/London",
    content="All 412 tests are green.\nIt took 4 minutes, a minute less than yesterday.\n\nThe release can go out.",
    link="https://ci.example.com/builds/7",
    tags=["ci", "release"],
    sender="Charles Babbage",
)
LETTERS = {
    "plain": PLAIN,
    "bare": msgspec.structs.replace(PLAIN, content="", link=None, tags=[], sender=None, title="Your export is ready"),
    "urgent": msgspec.structs.replace(
        PLAIN,
        priority=5,
        title="Disk of db-1 is 97 % full, and at this pace it will be full within the next forty minutes",
        content="/var/lib/postgresql/16/main/base/16384/" + "0123456789" * 12,
        tags=["db-1", "disk", "production", "on-call", "capacity", "postgresql"],
    ),
    "broadcast": msgspec.structs.replace(
        PLAIN,
        broadcast=True,
        title="Maintenance tonight",
        content="From 22:00 to 23:00 nothing can be sent.\n\nWhat you send before is delivered.",
        link=None,
        tags=[],
    ),
    "chinese": msgspec.structs.replace(
        PLAIN,
        broadcast=True,
        language="zh-CN",
        time_zone="Asia/Shanghai",
        title="今晚系统维护",
        content="22:00 至 23:00 期间无法发送消息。\n\n在此之前发送的消息都会正常送达。",
        sender="山田太郎",
        tags=["维护"],
    ),
    **{
        f"account-{kind}": security(kind, link=ONE_TIME.make() if kind in PAGES else None, sender="Ada Lovelace")
        for kind in MailKind
    },
    **{
        f"account-{kind}-chinese": security(
            kind, link=ONE_TIME.make(), sender="山田太郎", language="zh-Hans", time_zone="Asia/Shanghai"
        )
        for kind in (MailKind.RESET, MailKind.INVITE, MailKind.REGISTER)
    },
    "arabic": msgspec.structs.replace(PLAIN, title="نجح البناء", content="جميع الاختبارات ناجحة.", sender="ليلى"),
}


def pages() -> dict[str, str]:
    """Everything we write in HTML, by name."""
    found = {}
    for name, letter in LETTERS.items():
        mail = message_from_bytes(LETTERHEAD.render(letter), policy=policy.default)
        assert isinstance(mail, EmailMessage)
        part = mail.get_body(("html",))
        assert part is not None
        found[f"mail-{name}"] = str(part.get_content())
    found["unsubscribe"] = unsubscribe.ask(phrases("en"), "token").content
    found["unsubscribed"] = unsubscribe.unsubscribed(phrases("zh"), "token").content
    return found


async def main() -> None:
    if CHROMIUM is None:
        sys.exit("This needs Chromium: apt-get install chromium")
    DIRECTORY.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for scheme in ("light", "dark"):
            for size, width in WIDTHS.items():
                page = await browser.new_page(
                    viewport={"width": width, "height": 400}, color_scheme="dark" if scheme == "dark" else "light"
                )
                for name, html in pages().items():
                    await page.set_content(html)
                    await page.screenshot(path=DIRECTORY / f"{name}-{scheme}-{size}.png", full_page=True)
                await page.close()
        await browser.close()
    print(f"{len(list(DIRECTORY.glob('*.png')))} pictures are in {DIRECTORY}/")


if __name__ == "__main__":
    asyncio.run(main())
