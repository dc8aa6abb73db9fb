"""How often somebody may try: to log in with a wrong password, to register, to cause mails, and as a member to send.

Guesses are counted for an account and for an address, and a right password is given back: it is free. Whoever fires
guesses at an account uses up its turns, and the owner's with them. So after a first burst one address gets only every
other turn of an account, which leaves the owner, elsewhere, one every twelve seconds; and a browser that has logged in
to it before is known by a cookie and has turns of its own, wherever it is (OWASP's device cookies).
"""

import base64
import hashlib
import hmac
import ipaddress
import math
import secrets
from collections.abc import Sequence

from belfry.errors import TooMany
from belfry.rates import Limit, Rates, Standing, left, quota
from belfry.settings import Settings
from db.models import MailKind

__all__ = ["Guess", "Throttle"]

KEY = "belfry:throttle:"
MINUTE = 60.0
HOUR = 60 * MINUTE
DEVICE = b"belfry/device\0"  # what the same key signs elsewhere can never be one of these
IPV6_SITE = 64  # bits: whoever has one address of these has all
IPV6_NETWORK = 48  # bits: what one customer may have at most, 65,536 sites; or 256 customers with 256 sites each
NETWORK_BEARS = 10  # as much as one site of it

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

Account = int | str
"""An account by its id; what is none, by the address as the database compares it, so that it has one limit as well."""


class Policy:
    """A limit on something, for each of those who do it; `count` 0 is none."""

    def __init__(self, name: str, count: int, seconds: float) -> None:
        self.name = name
        self.count = count
        self.seconds = seconds

    def of(self, who: str) -> list[Limit]:
        """The limit for one of them, if there is one."""
        return [quota(self.count, self.seconds, key=f"{KEY}{self.name}:{who}")] if self.count else []

    def headers(self, limit: Limit, standing: Standing) -> dict[str, str]:
        """draft-ietf-httpapi-ratelimit-headers-10: the policy, and what is left of it."""
        return {
            "ratelimit-policy": f'"{self.name}";q={self.count};w={self.seconds:.0f}',
            "ratelimit": f'"{self.name}";r={left(limit, standing)};t={math.ceil(standing.ahead)}',
        }


Guess = Sequence[tuple[Policy, Limit]]
"""The limits that one guess counts for."""

Headers = dict[str, str]
"""What an answer says of the turns that are left."""


class Throttle:
    def __init__(self, rates: Rates, settings: Settings) -> None:
        self._rates = rates
        self._key = settings.secret_key.encode()
        self._account = Policy("failed-logins-account", settings.login_failures_per_account, MINUTE)
        self._shared = Policy("failed-logins-account-address", settings.login_failures_per_account, 2 * MINUTE)
        self._address = Policy("failed-logins-address", settings.login_failures_per_address, MINUTE)
        self._registrations = Policy("registrations", settings.registrations_per_address, 10 * MINUTE)
        self._mails_to = settings.security_mails_per_recipient
        self._mails_from = Policy("security-mails-address", settings.security_mails_per_address, 10 * MINUTE)
        self._sends = Policy("sends", settings.sends_per_member, MINUTE)

    def guess(self, account: Account, address: Address | None, *, device: str | None = None) -> Guess:
        """The limits on guessing an account's password from an address, or from a device that is known to it."""
        if device is not None and self._is_known(device, account):
            return [(self._account, limit) for limit in self._account.of(f"device:{_hashed(device)}")]
        whose = _hashed(str(account))
        return [
            *((self._account, limit) for limit in self._account.of(whose)),
            *((self._shared, limit) for limit in self._shared.of(f"{whose}@{site(address, IPV6_NETWORK)}")),
            *_from(self._address, address),
        ]

    def guess_again(self, session_id: int) -> Guess:
        """The limit on guessing the password of an account one is logged in to."""
        return [(self._account, limit) for limit in self._account.of(f"session:{session_id}")]

    def guess_link(self, address: Address | None) -> Guess:
        """The limit on links that do not work, from an address: as on wrong passwords."""
        return _from(self._address, address)

    def device(self, account: Account) -> str:
        """What to remember a browser by that has logged in to an account."""
        named = f"{_hashed(str(account))}.{secrets.token_hex(8)}"
        return f"{named}.{self._sign(named)}"

    async def look(self, limits: Guess) -> None:
        """Raises `TooMany` where a turn would not be given at this moment."""
        self._refuse(limits, await self._rates.look([limit for _, limit in limits]) if limits else [])

    async def take(self, limits: Guess) -> Headers:
        """Take a turn; the headers that say how many are left. Raises `TooMany`."""
        if not limits:
            return {}
        standings = await self._rates.take([limit for _, limit in limits])
        self._refuse(limits, standings)
        (policy, limit), standing = limits[0], standings[0]
        return policy.headers(limit, standing)

    async def give_back(self, limits: Guess) -> None:
        if limits:
            await self._rates.give_back([limit for _, limit in limits])

    async def register(self, address: Address | None) -> Headers:
        return await self.take(_from(self._registrations, address))

    async def mail(self, kind: MailKind, account: Account, address: Address | None) -> Headers:
        """Before a mail that somebody asks for; whether there will be one makes no difference.

        Each kind has turns of its own: what strangers cause, or only try, leaves an owner the mails of the other kinds.
        Of one that anybody may ask for, to reset a password, all turns used up mean a link in the mailbox that works.
        """
        to = Policy(f"{kind.replace('_', '-')}-mails-recipient", self._mails_to, HOUR)
        return await self.take(
            [*((to, limit) for limit in to.of(_hashed(str(account)))), *_from(self._mails_from, address)]
        )

    async def send(self, user_id: int) -> Headers:
        return await self.take([(self._sends, limit) for limit in self._sends.of(str(user_id))])

    def _refuse(self, limits: Guess, standings: Sequence[Standing]) -> None:
        waits = [(standing.wait, n) for n, standing in enumerate(standings) if standing.wait > 0]
        if not waits:
            return
        wait, n = max(waits)
        policy, limit = limits[n]
        raise TooMany(
            f"That is more than {policy.count} in {policy.seconds / MINUTE:.0f} min.",
            retry_after=math.ceil(wait),
            headers=policy.headers(limit, standings[n]),
        )

    def _is_known(self, device: str, account: Account) -> bool:
        named, _, mac = device.rpartition(".")
        ours = hmac.compare_digest(mac.encode("utf-8", "replace"), self._sign(named).encode())
        return ours and named.startswith(f"{_hashed(str(account))}.")

    def _sign(self, named: str) -> str:
        mac = hmac.digest(self._key, DEVICE + named.encode("utf-8", "replace"), hashlib.sha256)
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def _from(policy: Policy, address: Address | None) -> Guess:
    """The limits of a policy on an address: for its site, and with IPv6 for the network around that."""
    limits = [(policy, limit) for limit in policy.of(site(address))]
    if isinstance(address, ipaddress.IPv6Address):
        wide = Policy(f"{policy.name}-network", NETWORK_BEARS * policy.count, policy.seconds)
        limits += [(wide, limit) for limit in wide.of(site(address, IPV6_NETWORK))]
    return limits


def site(address: Address | None, bits: int = IPV6_SITE) -> str:
    """Whom an address stands for: with IPv6, everybody behind one connection."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, bits), strict=False))
    return str(address)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
