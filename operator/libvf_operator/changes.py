"""What of a spec is different from the spec that a Pod was started with, in words. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from libvf_operator.objects import Object

_SECRET = ("spec.cloudInit.userData", "spec.firmware.oemStrings")
"""Fields whose values may hold what not everybody who sees a condition may see: passwords, credentials, keys."""

_LONGEST = 60  # characters of a value
_MOST = 12  # changes that are told one by one


def told(before: Object, after: Object) -> list[str]:
    """Each field that differs as `spec.memory.size 1Gi -> 2Gi`; what is none is called `unset`."""
    words = list(_differences("spec", before, after))
    more = [f"and {len(words) - _MOST} more"] if len(words) > _MOST else []
    return words[:_MOST] + more


def _differences(path: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if path in _SECRET:
        yield f"{path} (not shown)"
        return
    known, wanted = _parts(before), _parts(after)
    if known is None or wanted is None or not known | wanted:
        yield f"{path} {_short(before)} -> {_short(after)}"
        return
    for part in sorted({*known, *wanted}):
        yield from _differences(f"{path}{part}", known.get(part), wanted.get(part))


def _parts(value: Any) -> dict[str, Any] | None:
    """What it is made of, by how that is written behind its own path; None of what is told as a whole."""
    if value is None or value == []:
        return {}
    if isinstance(value, dict):
        return {f".{key}": part for key, part in value.items()}
    if isinstance(value, list) and all(isinstance(part, dict) and "name" in part for part in value):
        return {f"[{part['name']}]": {k: v for k, v in part.items() if k != "name"} for part in value}
    return None


def _short(value: Any) -> str:
    if value is None:
        return "unset"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]}.."
