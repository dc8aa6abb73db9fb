"""Links that end a kind of mail (RFC 2369, RFC 8058): each names a user and a scope, signed, for as long as we exist.

A link is no login: all it can do is unsubscribe, and take that back.
"""

import base64
import hashlib
import hmac

from db.models import Scope

__all__ = ["PATH", "UnsubscribeLinks"]

PATH = "/unsubscribe"
PURPOSE = b"belfry/unsubscribe\0"  # what the same key signs elsewhere can never be one of these
MAC_BYTES = 16


class UnsubscribeLinks:
    """Signs with the secret key, and also believes what was signed with the one before it."""

    def __init__(self, secret_key: str, *, public_url: str, old_key: str = "") -> None:
        self._keys = [key.encode() for key in (secret_key, old_key) if key]
        self._base = public_url.rstrip("/") + PATH

    def url(self, user_id: int, scope: Scope) -> str:
        whose = f"{user_id}.{scope}"
        return f"{self._base}/{whose}.{_sign(self._keys[0], whose)}"

    def read(self, token: str) -> tuple[int, Scope] | None:
        """The user and the scope that the last part of a link names. None if we did not sign it."""
        whose, _, mac = token.rpartition(".")
        shown = mac.encode("utf-8", "replace")
        if not any(hmac.compare_digest(shown, _sign(key, whose).encode()) for key in self._keys):
            return None
        user_id, _, scope = whose.partition(".")
        return int(user_id), Scope(scope)


def _sign(key: bytes, whose: str) -> str:
    mac = hmac.digest(key, PURPOSE + whose.encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(mac[:MAC_BYTES]).rstrip(b"=").decode()
