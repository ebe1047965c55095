"""Whether this host runs guests in hardware."""

from __future__ import annotations

import os


def accelerated(device: str = "/dev/kvm") -> bool:
    """Whether /dev/kvm can be opened; a node without the module behind it answers ENODEV."""
    return not refusal(device)


def refusal(device: str) -> str:
    """Why the device can not be opened, in the kernel's words; empty where it can."""
    try:
        os.close(os.open(device, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return error.strerror or str(error)
    return ""
