"""Why the agent lets nothing new come to a device: keys of DeviceTaints, and what they mean to people."""

from enum import StrEnum

from libvf_api.names import DRIVER


class TaintKey(StrEnum):
    """The part of a key after `libvf.io/`. All are NoSchedule; LOST is NoExecute but of USB devices and cells."""

    EXCLUDED = "excluded"
    DRAINING = "draining"
    NO_RESET = "no-reset"
    SICK = "sick"
    UNKNOWN_VRAM = "unknown-vram"
    QUOTA = "quota"
    FOREIGN_QUOTA = "foreign-quota"
    CPU_MANAGER = "cpu-manager"
    LOST = "lost"

    @property
    def qualified(self) -> str:
        """As a taint has it."""
        return f"{DRIVER}/{self.value}"


WORDS = {
    TaintKey.EXCLUDED.qualified: "is not allowed by its GpuPolicy any more",
    TaintKey.DRAINING.qualified: "is being drained by its GpuPolicy",
    TaintKey.NO_RESET.qualified: "cannot be reset between guests (reuseWithoutReset of a GpuPolicy allows it)",
    TaintKey.SICK.qualified: "does not answer as it should (kubectl vf gpus says more)",
    TaintKey.UNKNOWN_VRAM.qualified: "does not tell its video memory (set vram in its GpuPolicy)",
    TaintKey.QUOTA.qualified: "cannot have the quotas of its GpuPolicy (kubectl vf gpus says why)",
    TaintKey.FOREIGN_QUOTA.qualified: "has quotas that somebody else has set (kubectl vf gpus says what to do)",
    TaintKey.CPU_MANAGER.qualified: "is kubelet's own to hand out (kubectl vf doctor says what to do)",
    TaintKey.LOST.qualified: "is gone from its host (see the host's kernel log)",
}
