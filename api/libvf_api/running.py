"""What starts, stops and restarts a VM, by its run strategy: the change to its object. Pure.

kubectl vf and the gateway both ask for these changes, and only the operator carries them out.
"""

from dataclasses import dataclass
from typing import Any

from libvf_api import names

Object = dict[str, Any]

_ENDED = ("Completed", "PodFailed")


class NotRunning(ValueError):
    """A VM that is off is not restarted."""


@dataclass(frozen=True, slots=True)
class Change:
    """A JSON merge patch for the VM, empty where there is nothing to do, and what it does in words."""

    patch: Object
    told: str


def start(machine: Object, now: str) -> Change:
    """Turns it on; `now` marks the request where a guest that has ended shall run once more."""
    name, strategy = machine["metadata"]["name"], _strategy(machine)
    if strategy == "Halted":
        kept = _annotations(machine).get(names.STARTED_STRATEGY) or "Always"
        return Change(_patch({names.STARTED_STRATEGY: None}, kept), f"{name} starts: its run strategy is {kept} now")
    notes: dict[str, str | None] = {}
    if strategy == "Manual" and not _on(machine):
        notes[names.REQUESTED_STATE] = "Running"
    if strategy != "Always" and ended(machine):
        notes[names.RESTART_REQUESTED] = now
    if not notes:
        return Change({}, f"{name} is on already: its run strategy is {strategy}")
    return Change(_patch(notes), f"{name} starts: its run strategy stays {strategy}")


def stop(machine: Object) -> Change:
    """Turns it off, gracefully; the run strategy that it had is kept for the next start."""
    name, strategy = machine["metadata"]["name"], _strategy(machine)
    if not _on(machine):
        return Change({}, f"{name} is off already: its run strategy is {strategy}")
    if strategy == "Manual":
        return Change(_patch({names.REQUESTED_STATE: "Stopped"}), f"{name} stops: its run strategy stays Manual")
    told = f"{name} stops: its run strategy is Halted now, and {strategy} again when it is started"
    return Change(_patch({names.STARTED_STRATEGY: strategy}, "Halted"), told)


def restart(machine: Object, now: str) -> Change:
    """Has its Pod ended gracefully and made anew, with the spec as it is; NotRunning where it is off."""
    name = machine["metadata"]["name"]
    if not _on(machine):
        raise NotRunning(f"{name} is off, its run strategy is {_strategy(machine)}: kubectl vf start {name}")
    return Change(_patch({names.RESTART_REQUESTED: now}), f"{name} restarts: its guest is shut down first")


def ended(machine: Object) -> bool:
    """Whether its guest ran to an end after which nothing starts it again by itself."""
    conditions = (machine.get("status") or {}).get("conditions") or []
    return any(c["type"] == "GuestRunning" and c["reason"] in _ENDED for c in conditions)


def _on(machine: Object) -> bool:
    if _strategy(machine) == "Manual":
        return _annotations(machine).get(names.REQUESTED_STATE) == "Running"
    return _strategy(machine) != "Halted"


def _strategy(machine: Object) -> str:
    return str(machine["spec"].get("runStrategy", "Always"))


def _annotations(machine: Object) -> dict[str, str]:
    return machine["metadata"].get("annotations") or {}


def _patch(annotations: dict[str, str | None], strategy: str | None = None) -> Object:
    return {
        "metadata": {"annotations": annotations},
        **({"spec": {"runStrategy": strategy}} if strategy else {}),
    }
