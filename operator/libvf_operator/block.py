"""Why no Pod may be made for a VM now. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """The reason in one CamelCase word, and for people; `stalled` where somebody has to act."""

    reason: str
    message: str
    stalled: bool = True
