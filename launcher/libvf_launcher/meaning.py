"""What QEMU's last words mean for who wrote the VM, and the cure. Pure."""

import re
from dataclasses import dataclass

from libvf_api.termination import Reason


@dataclass(frozen=True, slots=True)
class Meaning:
    """The reason of the termination message, and the words before QEMU's own."""

    reason: Reason
    cure: str


def meaning_of(words: str) -> Meaning | None:
    """The first that fits, or None: QEMU's words speak for themselves then."""
    return next((meaning for pattern, meaning in _KNOWN if re.search(pattern, words)), None)


# as QEMU 10.0 and libtpms 0.9 have them; TPM results are 0x9 TPM_IOERROR, and 0x100 more for those of TPM 2.0
_KNOWN = (
    ("Device or resource busy", Meaning("DeviceBusy", "a device is in use by another process on the node")),
    (
        "unable to find CPU model",
        Meaning(
            "BadMachine",
            "QEMU does not know spec.cpu.model: leave it out for the node's own, or take a name from "
            "`qemu-system-x86_64 -cpu help` in a launcher, such as EPYC-v4 or Skylake-Server-v4",
        ),
    ),
    (
        r"TPM result for CMD_INIT: 0x9\b",
        Meaning(
            "CompanionFailed",
            "swtpm cannot use the TPM's state, the lines above say why: end whoever else runs on this volume, "
            "or make its files those of uid 107",
        ),
    ),
    (
        "TPM result for CMD_INIT",
        Meaning(
            "CompanionFailed",
            "the TPM's state is damaged: put back a copy of the folder tpm on the volume of spec.state, or remove it "
            "and the machine gets a new TPM (what the old one sealed, such as BitLocker's key, is lost then)",
        ),
    ),
    (
        "unable to map backing store for guest RAM: Cannot allocate memory|failed to resize memfd",
        Meaning(
            "BadMachine",
            "the node has not enough free pages of the size in spec.memory.hugepages: reserve more there, "
            "or leave hugepages out",
        ),
    ),
    (
        "Hyper-?V",
        Meaning(
            "BadMachine",
            "the node's KVM lacks what Windows guests are offered: it needs Linux 5.14 or later with CONFIG_KVM_HYPERV",
        ),
    ),
)
