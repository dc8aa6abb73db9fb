"""What a login hands out: a signed token (JWT, RFC 7519) and one to refresh it for programs, a third for browsers."""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

import jwt
import msgspec
from jwt.algorithms import HMACAlgorithm

ALGORITHM = "HS256"
LEEWAY = timedelta(seconds=30)  # clocks of two machines differ
HEADERS = 16  # of tokens; ours have one a key
REMEMBERED = 4_096  # tokens whose signature was found good: programs send the same one again and again

KEY_PREFIX = "blf_"  # of API keys and REFRESH_PREFIX of refresh tokens: a leaked one can be searched for
REFRESH_PREFIX = "blr_"
REFRESHING = b"belfry/refresh\0"  # what the same key signs elsewhere can never be a refresh token


class TokenRefused(Exception):
    """The token is not one of ours, or its time is over."""


class Claims(msgspec.Struct, frozen=True):
    """What a token says, times in seconds since 1970 (RFC 7519, 4.1); `sid` is the session's id."""

    iss: Literal["belfry"]
    aud: Literal["belfry"]
    sub: str
    sid: int
    iat: int
    exp: int


class Hs256(HMACAlgorithm):
    """Takes bytes as they are: for each token, PyJWT would see again whether our key is a PEM, SSH or JSON one."""

    def __init__(self) -> None:
        super().__init__(HMACAlgorithm.SHA256)

    def prepare_key(self, key: str | bytes) -> bytes:
        return key if isinstance(key, bytes) else super().prepare_key(key)


class Tokens:
    """Signs with the secret key, and also believes what was signed with the one before it."""

    def __init__(self, secret_key: str, *, seconds: int, old_key: str = "") -> None:
        self._keys = {_key_id(key): key for key in (secret_key, old_key) if key}
        self._key_id = _key_id(secret_key)
        self.seconds = seconds
        self._algorithm = Hs256()
        self._signatures = jwt.PyJWS(algorithms=[])
        self._signatures.register_algorithm(ALGORITHM, self._algorithm)
        self._claims = msgspec.json.Decoder(Claims)
        self._key = lru_cache(HEADERS)(self._key_of)
        self._verified = lru_cache(REMEMBERED)(self._verify)

    def issue(self, *, user_id: int, session_id: int) -> str:
        """Sign a token for a session. It says who and until when; what they may do is looked up when it is used."""
        now = int(datetime.now(UTC).timestamp())
        claims = Claims("belfry", "belfry", str(user_id), session_id, iat=now, exp=now + self.seconds)
        return jwt.encode(
            msgspec.to_builtins(claims), self._keys[self._key_id], ALGORITHM, headers={"kid": self._key_id}
        )

    def read(self, token: str) -> tuple[int, datetime]:
        """Return the session's id and the token's end.

        Raises:
            TokenRefused: forged, foreign, malformed or expired.
        """
        session_id, ends_at = self._verified(token)
        if ends_at + LEEWAY <= datetime.now(UTC):  # it was good when it was verified
            raise TokenRefused("expired")
        return session_id, ends_at

    def successors(self, refresh_token: str) -> list[str]:
        """The refresh token that follows one; with two keys, the one each of them makes, the newest key's first.

        A token makes the same successor each time, so that a client which lost the answer can be given it again,
        though only its hash is kept. Without our key, knowing a token does not help to know the next.
        """
        return [_after(refresh_token, key) for key in self._keys.values()]

    def _verify(self, token: str) -> tuple[int, datetime]:
        try:
            key = self._key(token.partition(".")[0])
            claims = self._claims.decode(self._signatures.decode_complete(token, key, [ALGORITHM])["payload"])
            issued_at, ends_at = (datetime.fromtimestamp(when, UTC) for when in (claims.iat, claims.exp))
        except (jwt.InvalidTokenError, msgspec.MsgspecError, OverflowError, ValueError, OSError) as error:
            raise TokenRefused(str(error)) from None
        if issued_at - LEEWAY > datetime.now(UTC):
            raise TokenRefused("not yet issued")
        return claims.sid, ends_at

    def _key_of(self, header: str) -> bytes:
        """The key that a token's first part names."""
        key = self._keys.get(jwt.get_unverified_header(f"{header}.e30.").get("kid", ""))
        if key is None:
            raise TokenRefused("signed with a key that is not ours")
        return self._algorithm.prepare_key(key)


def opaque(prefix: str = "") -> str:
    """A token that says nothing, for a cookie, a ticket or a key: 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def fingerprint(token: str) -> bytes:
    """What the database keeps of an opaque token.

    A plain hash is enough: it is slow hashes that make guessing a password hard, and 256 random bits are not guessed.
    """
    return hashlib.sha256(token.encode()).digest()


def _key_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def _after(refresh_token: str, key: str) -> str:
    mac = hmac.digest(key.encode(), REFRESHING + refresh_token.encode("utf-8", "replace"), hashlib.sha256)
    return REFRESH_PREFIX + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
