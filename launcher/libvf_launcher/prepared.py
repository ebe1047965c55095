"""What a VM's launcher needs to know once all is ready for its QEMU."""

from dataclasses import dataclass

from libvf_launcher.cell import Cell
from libvf_launcher.companion import Companion


@dataclass(frozen=True, slots=True)
class Prepared:
    """QEMU's command line, the programs that run beside it, and how the guest is kept.

    `grace` is how many seconds it may take to shut down; of `cell` its threads are pinned to `vcpus` CPUs.
    """

    argv: list[str]
    beside: list[Companion]
    grace: float
    vcpus: int
    cell: Cell | None = None
