"""The tables of what somebody proves with who they are. A token is random, and only its hash is here."""

from datetime import datetime
from enum import StrEnum

from advanced_alchemy.base import DefaultBase, IdentityBase
from advanced_alchemy.types import DateTimeUTC
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.columns import moment, now, session_key, user_key


class KeyScope(StrEnum):
    """What a credential that may not do everything may do."""

    READ = "read"
    MARK = "mark"
    STREAM = "stream"
    SEND = "send"
    BROADCAST = "broadcast"
    ALERT = "alert"
    ACT_AS = "act-as"


class Session(IdentityBase):
    """Something that says who one is and can be ended: a login, an API key, or a token to act as somebody.

    Its id is the `sid` of the signed tokens it issued; `token_hash` is of the opaque token that a browser or a program
    holds. A login has no scopes: it may do all its user may. A token to act as somebody goes with the key it is from.
    `authenticated_at` is when the password was last shown by it.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint(f"scopes <@ ARRAY[{', '.join(f'{s!r}' for s in map(str, KeyScope))}]", name="scopes"),
        Index("ux_sessions_token", "token_hash", unique=True),
        Index("ix_sessions_user", "user_id"),
        Index("ix_sessions_age", "expires_at"),
        Index("ix_sessions_issued_by", "issued_by"),
    )

    user_id: Mapped[int] = user_key()
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    issued_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("sessions.id", ondelete="CASCADE"))
    user_agent: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime] = now()
    authenticated_at: Mapped[datetime] = now()
    last_seen_at: Mapped[datetime | None] = now()
    expires_at: Mapped[datetime] = mapped_column(DateTimeUTC)


class RefreshToken(DefaultBase):
    """One of a login's refresh tokens: the newest has not been used, and all before it have."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index("ix_refresh_tokens_session", "session_id"), Index("ix_refresh_tokens_age", "used_at"))

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[int] = session_key()
    created_at: Mapped[datetime] = now()
    used_at: Mapped[datetime | None] = moment()


class ApiKey(DefaultBase):
    """What a session is, if it is an API key. With `networks` it is good from these addresses only."""

    __tablename__ = "api_keys"

    session_id: Mapped[int] = session_key(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    networks: Mapped[list[str]] = mapped_column(ARRAY(Text))
    ends_at: Mapped[datetime | None] = moment()


class StreamTicket(DefaultBase):
    """Opens one stream, once, as the login it was made by; never for longer than that login held then."""

    __tablename__ = "stream_tickets"
    __table_args__ = (Index("ix_stream_tickets_session", "session_id"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[int] = session_key()
    login_expires_at: Mapped[datetime] = mapped_column(DateTimeUTC)
    expires_at: Mapped[datetime] = mapped_column(DateTimeUTC)
    created_at: Mapped[datetime] = now()
