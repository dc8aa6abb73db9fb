"""Which passwords may be chosen: any but those that are guessed first (ASVS 5.0, 6.2.4, 6.2.11 and 6.2.12).

There are no rules of composition, and a password is never cut, trimmed or changed. `common_passwords/LICENSE` says
where the list is from.
"""

import re
from functools import lru_cache
from pathlib import Path

from belfry.errors import BadInput, FieldError

__all__ = ["check_choice"]

LIST = Path(__file__).parent / "common_passwords" / "list.txt"
HERE = "belfry"  # what everybody tries first in this place
SHORTEST_PART = 4  # of an address that is looked for in a password: shorter ones are in too many
ENOUGH = 6  # characters beside what everybody knows


def check_choice(field: str, password: str, email: str) -> None:
    """Raises `BadInput` for a password that is among the most common, or little more than "belfry" or the address."""
    folded = password.casefold()
    if folded in _common():
        raise BadInput(FieldError(field, "this is one of the passwords that are guessed first; choose another"))
    rest = folded
    for word in _known(email.casefold()):
        rest = rest.replace(word, "")
    if rest != folded and len(rest) < ENOUGH:
        raise BadInput(FieldError(field, 'this is little more than your e-mail address or "belfry"; choose another'))


def _known(email: str) -> list[str]:
    """What anybody would try who knows where, and with which address: longer words first, for they contain others."""
    local, _, domain = email.partition("@")
    parts = {email, local, domain, *re.split(r"[^\w]+", local), *domain.split(".")}
    return sorted({HERE, *(part for part in parts if len(part) >= SHORTEST_PART)}, key=len, reverse=True)


@lru_cache(1)
def _common() -> frozenset[str]:
    return frozenset(LIST.read_text(encoding="utf-8").splitlines())
