"""What msgspec raises for bytes that are not what they should be; text may not be UTF-8, and nesting have no end."""

from typing import Final

import msgspec

UNDECODABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
