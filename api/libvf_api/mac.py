"""Addresses of network cards (IEEE 802), as the API writes them: six pairs of small hexadecimal digits."""

import hashlib
import re

ZERO = "00:00:00:00:00:00"  # for a virtual function: its own driver gives it one
PATTERN = "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"
"""As the definitions have it."""

_GROUP, _LOCAL = 0x01, 0x02  # bits of the first byte


def derived(seed: str) -> str:
    """The address that a seed always gives, locally administered, so that it is no maker's."""
    first, *others = hashlib.sha256(seed.encode()).digest()[:6]
    return ":".join(f"{byte:02x}" for byte in (first & 0xFC | _LOCAL, *others))


def is_of_one_card(mac: str) -> bool:
    """Whether a card may have it: well written, not zero, and not of a group."""
    return bool(re.fullmatch(PATTERN, mac)) and mac != ZERO and not int(mac[:2], 16) & _GROUP
