"""Where the memory that a guest shares is on its node: in a volume of its Pod, below kubelet's folder."""

from __future__ import annotations

import os
from pathlib import Path

from libvf_api import names

from libvf_cli.errors import NoStream
from libvf_cli.kubectl import Json
from libvf_cli.viewers import Shared

KUBELET = Path("/var/lib/kubelet")
_FOLDER = "/dev/shm"  # in the launcher


def shared(machine: Json, pod: Json, host: str, kubelet: Path = KUBELET) -> Shared:
    """The files; NoStream where the VM shares none, where it runs elsewhere, or where they may not be used."""
    name, spec = machine["metadata"]["name"], machine["spec"]
    if "lookingGlass" not in (spec.get("display") or []):
        raise NoStream(f"{name} shares no screen: add lookingGlass to spec.display and kubectl vf restart {name}")
    folder = _folder(pod, kubelet)
    node = pod["spec"].get("nodeName")
    try:
        there = folder.is_dir()
    except PermissionError:
        there = False
    if not there and os.geteuid() == 0:
        cure = "memory is shared within one host: run it there, or use kubectl vf spice or vnc"
        raise NoStream(f"{name} runs on node {node}, and this is {host}: {cure}")
    frames = folder / "looking-glass"
    if not os.access(frames, os.R_OK | os.W_OK):
        raise NoStream(
            f"{frames} is not for this user: only root and uid {names.QEMU_ID} on node {node} may use it: "
            f"sudo --preserve-env=DISPLAY,WAYLAND_DISPLAY,XDG_RUNTIME_DIR,KUBECONFIG kubectl vf view {name}"
        )
    sound = folder / "scream"
    return Shared(str(frames), str(sound) if sound.exists() else "")


def _folder(pod: Json, kubelet: Path) -> Path:
    mounts = [mount for part in pod["spec"]["containers"] for mount in part.get("volumeMounts") or []]
    volume = next((mount["name"] for mount in mounts if mount["mountPath"] == _FOLDER), "")
    if not volume:
        raise NoStream(f"{pod['metadata']['name']} has no {_FOLDER}: restart the VM, its Pod is older than its display")
    return kubelet / "pods" / str(pod["metadata"]["uid"]) / "volumes" / "kubernetes.io~empty-dir" / str(volume)
