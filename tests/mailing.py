"""What people find in their mailboxes, once a worker has sent what waits."""

import re
from email.message import EmailMessage

from tasks.context import Context
from tasks.send_due import send_due
from tests.smtp_sink import Mail, Sink

__all__ = ["Mailboxes", "text_of"]

LINK = re.compile(r"http://localhost:8000/#/(verify|reset|invite)/(\S+)")


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


class Mailboxes:
    def __init__(self, context: Context, sink: Sink) -> None:
        self._context = context
        self._sink = sink
        self._seen = 0

    async def new(self) -> list[Mail]:
        """Send what is due; the mails that came since this was asked last."""
        await send_due(self._context)
        found, self._seen = self._sink.mails[self._seen :], len(self._sink.mails)
        return found

    async def token(self, email: str, page: str) -> str:
        """The token of the one link that comes to an address now; it leads to this page."""
        [token] = await self.tokens(email, page)
        return token

    async def tokens(self, email: str, page: str) -> list[str]:
        """The tokens of all links that come to an address now; they lead to this page."""
        mails = [mail for mail in await self.new() if mail.recipient == email and "/#/n/" not in text_of(mail.message)]
        return [_token(mail.message, page) for mail in mails]


def _token(message: EmailMessage, page: str) -> str:
    found = LINK.search(text_of(message))
    assert found is not None, text_of(message)
    assert found[1] == page
    assert f"/#/{page}/{found[2]}" in str(message.get_body(("html",)))
    return found[2]
