"""What we say ourselves, in the languages of our readers, and dates as they write them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

__all__ = ["Phrases", "local", "phrases"]


class Phrases(msgspec.Struct, frozen=True):
    """One language. `code` is its BCP 47 tag."""

    code: str
    written: Callable[[datetime], str]
    """A moment, on the clock it carries."""
    open: str
    show: str
    urgent: str
    through: str
    unsubscribe: str
    why_broadcast: str
    unsubscribe_title: str
    unsubscribe_text: str
    unsubscribe_button: str
    unsubscribed_title: str
    unsubscribed_text: str
    resubscribe_button: str
    resubscribed_title: str
    resubscribed_text: str
    unknown_title: str
    unknown_text: str


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _english(at: datetime) -> str:
    return f"{DAYS[at.weekday()]}, {at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M} ({_offset(at)})"


def _chinese(at: datetime) -> str:
    day = "一二三四五六日"[at.weekday()]
    return f"{at.year}年{at.month}月{at.day}日 星期{day} {at:%H:%M}（{_offset(at)}）"  # noqa: RUF001


def _offset(at: datetime) -> str:
    """`UTC+5:30`. Names of zones are ambiguous: CST is in China and in Chicago."""
    minutes = (at.utcoffset() or timedelta()) // timedelta(minutes=1)
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02}' if rest else ''}"


ENGLISH = Phrases(
    code="en",
    written=_english,
    open="Open",
    show="Show in Belfry",
    urgent="Urgent",
    through="{sender}, through Belfry",
    unsubscribe="Unsubscribe from broadcasts",
    why_broadcast="This went to everyone who has an account.",
    unsubscribe_title="No more broadcasts by e-mail?",
    unsubscribe_text="Messages to everyone will still be in your inbox in Belfry. Messages to you alone still come.",
    unsubscribe_button="Unsubscribe",
    unsubscribed_title="You are unsubscribed",
    unsubscribed_text="No more broadcasts will come by e-mail. They are still in your inbox in Belfry.",
    resubscribe_button="Subscribe again",
    resubscribed_title="You are subscribed again",
    resubscribed_text="Broadcasts will come by e-mail, as before.",
    unknown_title="This link leads nowhere",
    unknown_text="It is not one of ours, or not all of it was copied.",
)
CHINESE = Phrases(
    code="zh-Hans",
    written=_chinese,
    open="打开",
    show="在 Belfry 中查看",
    urgent="紧急",
    through="{sender}，通过 Belfry 发送",  # noqa: RUF001
    unsubscribe="退订广播邮件",
    why_broadcast="此消息已发送给所有用户。",
    unsubscribe_title="不再接收广播邮件？",  # noqa: RUF001
    unsubscribe_text="发给所有人的消息仍会出现在您的 Belfry 收件箱中，单独发给您的消息仍会通过邮件发送。",  # noqa: RUF001
    unsubscribe_button="退订",
    unsubscribed_title="您已退订",
    unsubscribed_text="您不会再收到广播邮件，但仍可在 Belfry 收件箱中查看广播。",  # noqa: RUF001
    resubscribe_button="重新订阅",
    resubscribed_title="您已重新订阅",
    resubscribed_text="广播将照常通过邮件发送给您。",
    unknown_title="此链接无效",
    unknown_text="它不是 Belfry 的链接，或未复制完整。",  # noqa: RUF001
)


def phrases(language: str) -> Phrases:
    """The reader's language, or English."""
    return CHINESE if language.lower().partition("-")[0] == "zh" else ENGLISH


def local(at: datetime, time_zone: str) -> datetime:
    """A moment on the clock of a zone (IANA), or in UTC where no such zone is known."""
    zone = _zone(time_zone)
    return at if zone is None else at.astimezone(zone)


@lru_cache(1_000)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a directory of zones, and no name at all
        return None
