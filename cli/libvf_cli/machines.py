"""VirtualMachines by kubectl: read, changed, waited for."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from libvf_api import names
from libvf_api.running import Change

from libvf_cli.errors import Forbidden, NotFound, NotRunning, Unfinished
from libvf_cli.kubectl import Json, Kubectl

KIND = f"{names.MACHINES}.{names.GROUP}"
_LOOK_SECONDS = 1.0
_CONTROL = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])|[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Waited:
    """How far a machine is, each time that it is another state."""

    machine: Json
    reason: str
    message: str


def one(kubectl: Kubectl, name: str) -> Json:
    """A machine; NotFound with the cure."""
    try:
        return kubectl.get(KIND, name)
    except NotFound as error:
        if "the server doesn't have a resource type" in str(error) or "requested resource" in str(error):
            raise NotFound(
                f"this cluster knows no VirtualMachines: install libvf, or name another with --context ({error})"
            ) from error
        raise NotFound(
            f"there is no VirtualMachine {name} here: kubectl vf ps -A lists all, -n names another namespace"
        ) from error


def listed(kubectl: Kubectl, everywhere: bool) -> list[Json]:
    """The machines of the namespace, or of all."""
    items: list[Json] = kubectl.get(KIND, *(("--all-namespaces",) if everywhere else ())).get("items") or []
    return items


def change(kubectl: Kubectl, machine: Json, wanted: Change) -> Json:
    """Carries a change out; the machine as it is then."""
    if not wanted.patch:
        return machine
    name = machine["metadata"]["name"]
    try:
        return kubectl.document("patch", KIND, name, "--type=merge", f"--patch={json.dumps(wanted.patch)}")
    except Forbidden as error:
        raise Forbidden(f"{error}: ask for the right to patch virtualmachines in this namespace") from error


def condition(machine: Json, kind: str) -> Json:
    """A condition of its status; empty where there is none."""
    conditions = (machine.get("status") or {}).get("conditions") or []
    return next((found for found in conditions if found["type"] == kind), {})


def state(machine: Json) -> tuple[str, str]:
    """Where it stands, in one reason and in words; an operator that has not looked yet is told."""
    ready = condition(machine, "Ready")
    waiting = "the operator has not looked at it yet: is it running? kubectl --namespace=libvf-system get pods"
    return str(ready.get("reason") or "New"), str(ready.get("message") or (waiting if not ready else ""))


def refuse_standstill(machine: Json) -> None:
    """NotRunning with the operator's own words where the machine waits for somebody to act."""
    stalled = condition(machine, "Stalled")
    if stalled.get("status") == "True" and is_current(machine, stalled):
        name = machine["metadata"]["name"]
        words = f"{name} does not run: {stalled['reason']}: {stalled['message']}"
        raise NotRunning(f"{words}; kubectl vf explain-pending {name}")


def is_current(machine: Json, told: Json) -> bool:
    """Whether a condition speaks of the spec as it is now."""
    return bool(told.get("observedGeneration") == machine["metadata"].get("generation"))


def plain(text: str) -> str:
    """A guest's own words without what would move the cursor or change the colours of who reads them."""
    return _CONTROL.sub("", text).strip()


def pod(machine: Json) -> str:
    """The Pod whose guest runs; NotRunning where there is none."""
    name = machine["metadata"]["name"]
    found = (machine.get("status") or {}).get("podName")
    reason, message = state(machine)
    if not found:
        raise NotRunning(f"{name} does not run ({reason}: {message}): kubectl vf start {name}, or explain-pending")
    return str(found)


def follow(look: Callable[[], Json], reached: Callable[[Json], bool], seconds: float, what: str) -> Iterator[Waited]:
    """Looks until it is reached; Unfinished with the last state where that takes longer than `seconds`."""
    deadline, last = time.monotonic() + seconds, None
    while True:
        machine = look()
        now = state(machine)
        if now != last:
            yield Waited(machine, *now)
            last = now
        if reached(machine):
            return
        if time.monotonic() > deadline:
            raise Unfinished(f"{what} took longer than {seconds:g} s: {now[0]}: {now[1]}")
        time.sleep(_LOOK_SECONDS)
