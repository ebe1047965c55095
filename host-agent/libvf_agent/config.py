"""Where the agent finds its host, from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from libvf_agent import numa, usb


def state_folder(root: Path, environment: Mapping[str, str]) -> Path:
    """Where the agent of the host below `root` keeps its journal and its hook; LIBVF_STATE names another place."""
    return Path(environment.get("LIBVF_STATE") or root / "var/lib/libvf")


def hook_file(state: Path) -> Path:
    """The helper that the container runtime of the host calls."""
    return state / "bin" / "libvf-hook"


def default_root(environment: Mapping[str, str]) -> Path:
    """The host's root folder for this process."""
    return Path(environment.get("LIBVF_SYSFS_ROOT", "/"))


@dataclass(frozen=True, slots=True)
class Config:
    """All settings; `health_port` is on 127.0.0.1."""

    node: str
    state: Path
    sysfs_root: str
    kubelet: Path
    cdi: Path
    metadata: Path
    hook_source: Path
    health_port: int
    usb: frozenset[str] = frozenset()
    reserve: numa.Reserve = numa.USUAL

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Raises ValueError where NODE_NAME is missing, or a USB id or a reserve is none."""
        node = environment.get("NODE_NAME", "")
        if not node:
            raise ValueError("NODE_NAME is not set: give the Pod its spec.nodeName by the downward API")
        return cls(
            node=node,
            state=Path(environment.get("LIBVF_STATE", "/var/lib/libvf")),
            sysfs_root=environment.get("LIBVF_SYSFS_ROOT", "/"),
            kubelet=Path(environment.get("KUBELET_DIR", "/var/lib/kubelet")),
            cdi=Path(environment.get("CDI_DIR", "/var/run/cdi")),
            metadata=Path(environment.get("LIBVF_METADATA_DIR", "/var/run/libvf/metadata")),
            hook_source=Path(environment.get("LIBVF_HOOK", "/usr/lib/libvf/libvf-hook")),
            health_port=int(environment.get("LIBVF_HEALTH_PORT", "9469")),
            usb=usb.named(environment.get(usb.SETTING, "")),
            reserve=numa.reserve_of(environment.get(numa.SETTING, "")),
        )
