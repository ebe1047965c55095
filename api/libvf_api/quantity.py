"""Kubernetes quantities as whole bytes.

The grammar is that of apimachinery's resource.Quantity: a decimal number with a binary (Ki, Mi, ..) or a
decimal (k, M, .., also m) suffix, or an exponent.
"""

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

_SUFFIXES = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d{1,3})|(m|[kMGTPE]|[KMGTPE]i)?)")


class BadQuantity(ValueError):
    """Text that is no Kubernetes quantity."""


@lru_cache(4096)  # an agent writes the same few amounts thousands of times whenever it looks at its cards
def to_bytes(text: str | int) -> int:
    """`4Gi` -> 4294967296; a fraction rounds up, as Kubernetes does. Raises BadQuantity."""
    match = _QUANTITY.fullmatch(str(text))
    if not match:
        raise BadQuantity(f"{text!r} is no quantity: write a number with Ki, Mi, Gi or Ti, such as 4Gi")
    number, exponent, suffix = match.groups()
    scale = Decimal(10) ** int(exponent) if exponent else _SUFFIXES[suffix or ""]
    return int((Decimal(number) * scale).to_integral_value(rounding=ROUND_CEILING))


@lru_cache(4096)
def of_bytes(count: int) -> str:
    """The shortest exact binary quantity: 4294967296 -> `4Gi`."""
    for power, suffix in reversed(list(enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1))):
        if count and count % 1024**power == 0:
            return f"{count // 1024**power}{suffix}"
    return str(count)
