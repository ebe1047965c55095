"""QEMU's locks on disk files: a file has one writer or any number of readers, on a host and over NFS.

QEMU takes them itself, with open file description locks (its docs/system/qemu-block-drivers, "Disk image file
locking"); here is only how it is told when one is not to be had.
"""

import re

from libvf_launcher.errors import DiskInUse

_REFUSED = re.compile(r"Failed to get (shared )?\"[a-z ]+\" lock")


def refused(words: str) -> bool:
    """Whether these are QEMU's or qemu-img's words for a lock that somebody else has."""
    return bool(_REFUSED.search(words))


def in_use(disk: str, words: str) -> DiskInUse:
    """The same with the cure."""
    cure = "stop the other machine, or set changes Discard or Keep in both, or readOnly in both"
    return DiskInUse(f"{disk} is written to by another machine, or read by one: {cure}: {words}")
