"""The two things a login hands out: a signed token for programs (JWT, RFC 7519), an opaque one for browsers."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import jwt

ALGORITHM = "HS256"
ISSUER = "belfry"
AUDIENCE = "belfry"
LEEWAY = timedelta(seconds=30)  # clocks of two machines differ
REMEMBERED = 4_096  # tokens whose signature was found good: programs send the same one again and again


class TokenRefused(Exception):
    """The token is not one of ours, or its time is over."""


class Tokens:
    def __init__(self, secret_key: str, *, seconds: int) -> None:
        self._secret = secret_key
        self._key_id = hashlib.sha256(secret_key.encode()).hexdigest()[:8]
        self.seconds = seconds
        self._verified = lru_cache(REMEMBERED)(self._verify)

    def issue(self, *, user_id: int, session_id: int) -> str:
        """Sign a token for a session. It says who and until when; what they may do is looked up when it is used."""
        now = datetime.now(UTC)
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": session_id,
            "iat": now,
            "exp": now + timedelta(seconds=self.seconds),
        }
        return jwt.encode(claims, self._secret, ALGORITHM, headers={"kid": self._key_id})

    def read(self, token: str) -> tuple[int, datetime]:
        """Return the session's id and the token's end.

        Raises:
            TokenRefused: forged, foreign, malformed or expired.
        """
        session_id, ends_at = self._verified(token)
        if ends_at + LEEWAY <= datetime.now(UTC):  # it was good when it was verified
            raise TokenRefused("expired")
        return session_id, ends_at

    def _verify(self, token: str) -> tuple[int, datetime]:
        try:
            claims = jwt.decode(
                token,
                self._secret,
                [ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.InvalidTokenError as error:
            raise TokenRefused(str(error)) from None
        session_id = claims.get("sid")
        if not isinstance(session_id, int):
            raise TokenRefused("no session")
        return session_id, datetime.fromtimestamp(claims["exp"], UTC)


def opaque() -> str:
    """A token that says nothing, for a cookie or a ticket: 256 random bits."""
    return secrets.token_urlsafe(32)


def fingerprint(token: str) -> bytes:
    """What the database keeps of an opaque token. It is random, so one plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()
