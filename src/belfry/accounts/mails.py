"""What is written to people about their accounts. It goes through the queue as all mail does, and before it."""

from belfry.accounts.links import INVITING, RESETTING, VERIFYING, OneTimeLinks
from belfry.settings import Settings
from db import Tx
from db.models import MailKind
from db.queries import security_mails

__all__ = ["AccountMails"]

DAY = 86_400


class AccountMails:
    """Knows how long the link of each kind of mail works."""

    def __init__(self, settings: Settings) -> None:
        self._links = OneTimeLinks(settings.secret_key, old_key=settings.secret_key_old)
        self._seconds: dict[MailKind, int] = {
            **dict.fromkeys(VERIFYING, settings.verify_link_seconds),
            **dict.fromkeys(RESETTING, settings.reset_link_seconds),
            **dict.fromkeys(INVITING, settings.invitation_days * DAY),
        }

    def seconds(self, kind: MailKind) -> int:
        """How long the link of such a mail works; for mails that have one."""
        return self._seconds[kind]

    async def write(self, tx: Tx, kind: MailKind, *, email: str, language: str, user_id: int | None = None) -> int:
        """Put a mail into the queue in this transaction, with a new link if it is of a kind that has one.

        Returns its id. Ring the bell after the commit.
        """
        seconds = self._seconds.get(kind)
        link = None if seconds is None else self._links.make()
        return await security_mails.add(
            tx,
            kind,
            email=email,
            language=language,
            user_id=user_id,
            seed=link.seed if link else None,
            token_hash=link.token_hash if link else None,
            seconds=seconds,
        )
