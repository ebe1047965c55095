"""Whether kubelet's own managers hand out the CPUs and the memory that cells are made of.

Under the static policy kubelet gives CPUs to some containers alone, and writes the cpuset of every other container
anew whenever that changes (pkg/kubelet/cm/cpumanager: reconcileState): a cell would lose its CPUs and share those of
others. Its files say which policy is at work, also where its configuration has changed since it was started. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

FOLDER = "var/lib/kubelet"
_HOST = "proc/1/root"  # the host's own files, where the agent's container has not got them

_SHARING = {"cpu_manager_state": ("cpuManagerPolicy", "none"), "memory_manager_state": ("memoryManagerPolicy", "None")}


class _State(msgspec.Struct, frozen=True):
    policy: str = msgspec.field(default="", name="policyName")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no cell can be kept on a host."""

    what: str
    cure: str

    def __str__(self) -> str:
        return f"{self.what}: {self.cure}"


def refusal(read: Callable[[str], str], folder: str = FOLDER) -> Refusal | None:
    """None where kubelet leaves CPUs and memory to whoever runs; `read` gives a file's text, empty for none."""
    for name, (setting, free) in _SHARING.items():
        policy = _policy(read, f"{folder}/{name}")
        if policy.lower() not in ("", free.lower()):
            cure = f"set {setting}: {free}, remove /{folder}/{name} and restart kubelet, or keep such VMs off this node"
            what = f"kubelet's {setting} is {policy}, so CPUs and memory of this node are its own to hand out"
            return Refusal(what, cure)
    return None


def _policy(read: Callable[[str], str], path: str) -> str:
    text = read(f"{_HOST}/{path}") or read(path)
    try:
        return msgspec.json.decode(text, type=_State).policy
    except msgspec.MsgspecError:
        return ""
