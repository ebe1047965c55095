"""The launcher's termination message: how it ended, for the VM's conditions.

kubelet keeps at most 4096 bytes of it in the Pod's status.
"""

from typing import Literal

import msgspec

Reason = Literal[
    "GuestShutdown", "GuestReset", "QemuExited", "Stopped", "Killed",
    "BadMachine", "DeviceMissing", "DeviceBusy", "DiskInUse", "BaseChanged", "CompanionFailed",
]  # fmt: skip
_MESSAGE_BYTES = 3500


class Termination(msgspec.Struct, frozen=True, rename="camel"):
    """Reason in CamelCase, a message for people, QEMU's exit code (negative: the signal that ended it)."""

    reason: Reason
    message: str
    exit_code: int = 0

    def encode(self) -> bytes:
        """As JSON that fits the limit; of a long message the end is kept, where the cause stands."""
        kept = self.message.encode()[-_MESSAGE_BYTES:].decode(errors="ignore")
        return msgspec.json.encode(msgspec.structs.replace(self, message=kept))


def parse(text: str) -> Termination | None:
    """A termination message, or None where the launcher did not live to write one."""
    try:
        return msgspec.json.decode(text, type=Termination)
    except msgspec.MsgspecError:
        return None
