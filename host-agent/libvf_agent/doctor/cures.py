"""The commands that cures name, written once."""

from __future__ import annotations

PREPARE = "python3 -m libvf_agent prepare"
PREPARE_AND_REBOOT = f"{PREPARE} --yes, then reboot"


def prepare_now(*modules: str) -> str:
    """Modules loaded at every boot, and now."""
    return f"{PREPARE} --yes, then reboot or: modprobe --all {' '.join(modules)}"
