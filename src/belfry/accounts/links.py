"""Links that work once, in mails: what their tokens are made of.

The database keeps a random seed and the token's hash; the token itself is an HMAC of the seed and is made again when
the mail is written. So a mail can be tried many times, and neither a copy of the database nor anything that is logged
or shown has a link in it that works.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Literal

import msgspec

from belfry.accounts.tokens import fingerprint
from db.models import MailKind

__all__ = ["INVITING", "PAGES", "RESETTING", "VERIFYING", "OneTimeLinks", "Seeded"]

PREFIX = "bll_"  # a leaked one can be searched for
PURPOSE = b"belfry/link\0"  # what the same key signs elsewhere can never be one of these

VERIFYING = (MailKind.REGISTER, MailKind.VERIFY, MailKind.ADDRESS)
RESETTING = (MailKind.RESET,)
INVITING = (MailKind.INVITE,)
# The pages of the web application that they lead to, after `#`: browsers send that to no server.
Page = Literal["verify", "reset", "invite"]
PAGES: dict[MailKind, Page] = {
    **dict.fromkeys(VERIFYING, "verify"),
    **dict.fromkeys(RESETTING, "reset"),
    **dict.fromkeys(INVITING, "invite"),
}


class Seeded(msgspec.Struct, frozen=True):
    """What the database keeps of a token."""

    seed: bytes
    token_hash: bytes


class OneTimeLinks:
    """Makes tokens with the secret key, and also makes again those of the key before it."""

    def __init__(self, secret_key: str, *, old_key: str = "") -> None:
        self._keys = [key.encode() for key in (secret_key, old_key) if key]

    def make(self) -> Seeded:
        seed = secrets.token_bytes(32)
        return Seeded(seed, fingerprint(_token(self._keys[0], seed)))

    def token(self, seeded: Seeded) -> str:
        """The token that a seed was made for. Raises `LookupError` if the key it was made with is gone."""
        tokens = (_token(key, seeded.seed) for key in self._keys)
        found = next((each for each in tokens if hmac.compare_digest(fingerprint(each), seeded.token_hash)), None)
        if found is None:
            raise LookupError("the secret key that this link was made with is not known any more")
        return found


def _token(key: bytes, seed: bytes) -> str:
    mac = hmac.digest(key, PURPOSE + seed, hashlib.sha256)
    return PREFIX + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
