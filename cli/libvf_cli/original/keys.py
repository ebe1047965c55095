"""Every key of LibVF.IO's files: the field that it becomes, or why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass

_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Key:
    """`default` is the original's own where it is not in the file; None where that means nothing."""

    field: str = ""
    why: str = ""
    default: str | None = None


_COMMANDS = (
    "commands of the file would run on a host, as root where they ask for it: that is not for whoever may create a VM"
)
_CARD = "kube-scheduler picks the card: to keep slices to some cards write a GpuPolicy (docs/policy.md)"

KEYS = {
    "name": Key("metadata.name"),
    "startintro": Key(why="nothing opens by itself: kubectl vf view, vnc or spice opens the screen when it is wanted"),
    "startapp": Key(why="nothing runs by itself: kubectl vf ssh NAME -- COMMAND"),
    "installOs": Key("spec.install, spec.sysprep"),
    "nographics": Key("spec.graphics.mode", default="false"),
    "spice": Key("spec.display", default="false"),
    "showhypervisor": Key("spec.hideHypervisor", default="true"),
    "introspect": Key("spec.display, spec.audio", default="looking-glass"),
    "shareddir": Key("spec.filesystems"),
    "spicePort": Key("spec.display", default="5900"),
    "sshPort": Key("spec.ports", default="2222"),
    "vncPort": Key("spec.display", default="-1"),
    "connectivity": Key(),
    "connectivity.exposedPorts": Key("spec.ports"),
    "connectivity.exposedPorts[].guest": Key("spec.ports[].port"),
    "connectivity.exposedPorts[].host": Key("spec.ports[].servicePort"),
    "connectivity.exposedPorts[].protocol": Key("spec.ports[].protocol"),
    "container": Key(),
    "container.kernel": Key("spec.disks[root]"),
    "container.state": Key("spec.disks"),
    "container.state[]": Key("spec.disks[state<n>]"),
    "container.initialSize": Key("spec.disks[root].persistentVolumeClaim.create"),
    "container.iso": Key("spec.cdroms[iso], spec.install"),
    "cpus": Key(),
    "cpus.cores": Key("spec.cpu.cores", default="4"),
    "cpus.sockets": Key("spec.cpu.sockets", default="1"),
    "cpus.threads": Key("spec.cpu.threads", default="1"),
    "cpus.ramAlloc": Key("spec.memory.size", default="8192"),
    "gpus": Key("spec.gpus"),
    "gpus[].gpuType": Key("spec.gpus[].mode"),
    "gpus[].minVRam": Key("spec.gpus[].vram.min", default="1000"),
    "gpus[].maxVRam": Key("spec.gpus[].vram.max", default="2000"),
    "gpus[].mdevType": Key("spec.gpus[].type"),
    "gpus[].parentPort": Key(why=_CARD),
    "gpus[].devId": Key(why=f"the id of a device is its host's own; {_CARD}"),
    "gpus[].suffix": Key(why="a series of types is no part of a request: GpuPolicy spec.types says which may be had"),
    "gpus[].acceptableTypes": Key(why="what LibVF.IO calls types of functions are no names of types here"),
    "gpus[].acceptableTypes[]": Key(why="what LibVF.IO calls types of functions are no names of types here"),
    "gpus[].bdf": Key("GpuPolicy spec.cards.addresses"),
    "nics": Key("spec.nics"),
    "nics[].mac": Key("spec.nics[].mac"),
    "root": Key(why="there is no state folder on a host: what a VM keeps is on its volumes"),
    "sudo": Key(why="QEMU never runs as root here: the host agent prepares what needs it"),
    "commands": Key("spec.deviceIdentity, spec.clock, spec.extraArguments"),
    "commands[].arg": Key("spec.deviceIdentity, spec.clock, spec.extraArguments"),
    "commands[].values": Key("spec.deviceIdentity, spec.clock, spec.extraArguments"),
    "commands[].values[]": Key("spec.deviceIdentity, spec.clock, spec.extraArguments"),
    "startupCommands": Key(why=_COMMANDS),
    "teardownCommands": Key(why=_COMMANDS),
    "installCommands": Key(why=f"{_COMMANDS}; unattended steps in the guest are spec.sysprep or spec.cloudInit"),
    "appCommands": Key(why=f"{_COMMANDS}; in the guest: kubectl vf ssh NAME -- COMMAND"),
    "blacklistedPci": Key("GpuPolicy spec.exclude"),
    "blacklistedPci[]": Key("GpuPolicy spec.exclude"),
}  # fmt: skip

ANYTHING_BELOW = ("startupCommands", "teardownCommands", "installCommands", "appCommands")


def general(path: str) -> str:
    """A path of a file as it stands in the table: `gpus[0].bdf` -> `gpus[].bdf`."""
    return _INDEX.sub("[]", path)
