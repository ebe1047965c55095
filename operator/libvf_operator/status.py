"""Conditions that change only when something changed: the transition time is kept while the status stays. Pure."""

from datetime import UTC, datetime

from libvf_operator.objects import Object

_MESSAGE = 4000


class Conditions:
    """The conditions of one object, begun from what it has."""

    def __init__(self, thing: Object, now: datetime | None = None) -> None:
        self._generation = thing["metadata"].get("generation", 1)
        self._found: dict[str, Object] = {
            condition["type"]: condition for condition in (thing.get("status") or {}).get("conditions") or []
        }
        self._now = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def set(self, kind: str, holds: bool | None, reason: str, message: str = "") -> None:
        """Set one; None is Unknown."""
        status = "Unknown" if holds is None else str(holds)
        before = self._found.get(kind, {})
        same = before.get("status") == status
        self._found[kind] = {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message[:_MESSAGE],
            "observedGeneration": self._generation,
            "lastTransitionTime": before["lastTransitionTime"] if same else self._now,
        }

    def drop(self, kind: str) -> None:
        """Say nothing of it any more."""
        self._found.pop(kind, None)

    def listed(self) -> list[Object]:
        """All of them, by type."""
        return [self._found[kind] for kind in sorted(self._found)]


def transitions(before: Object, after: list[Object]) -> list[Object]:
    """Conditions whose status or reason is new: each is worth an Event."""
    known = {c["type"]: c for c in (before.get("status") or {}).get("conditions") or []}
    told = ("status", "reason")
    return [c for c in after if [c[k] for k in told] != [known.get(c["type"], {}).get(k) for k in told]]
