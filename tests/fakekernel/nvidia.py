"""NVIDIA's driver with its own VFIO: functions with a folder `nvidia`, sriov-manage and nvidia-smi.

Known, as it was measured on cards in the field or stands in open-gpu-kernel-modules (kernel_vgpu_mgr.c): the
lists that shrink, and are empty on a function that is a vGPU; EIO for a type that can not be made; ENXIO of
placement_id and gpu_instance_id without a vGPU; the first free place, or one that is written and free; no
sriov_numvfs by hand; sriov-manage that may be run again, is refused while some program has the card open, and
switches mixing off; mixing that is not switched while a vGPU exists. Assumed: EBUSY for a release while the
function is open and for some time after, and for a second type; EINVAL for what is no number; EIO for a place
that is not free; EPERM for parameters while it is open, ENXIO for parameters without a vGPU.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass

from tests.fakekernel.nvidia_models import Kind, Model, told
from tests.fakekernel.pci import BUS, ROOT, Function, PciHost
from tests.fakekernel.tree import File, Folder, fail

MOST = 32


@dataclass
class Vgpu:
    """A virtual function that is a vGPU; `closing` is how often its release is refused."""

    kind: Kind
    place: int
    parameters: str = ""
    closing: int = 0


class Nvidia:
    """A card; its functions and its mode are there after a boot where the administrator's units make them."""

    def __init__(self, host: NvidiaHost, address: str, model: Model, made: bool = True, mixes: bool = False) -> None:
        self.model = model
        self.address = address
        self.vgpus: dict[str, Vgpu] = {}
        self.mixes = False
        self.mig = False
        self.slow = 0
        self._host = host
        self._at_boot = (made, mixes)
        function = Function(address, model.pci_id, "030200", native="nvidia", total_vfs=model.functions, offset=4)
        function.vf_id, function.vf_native = model.pci_id, "nvidia"
        host.pci.add(function)
        numvfs = File(lambda: f"{len(self.functions)}\n", lambda text: self._refused(text))
        host.tree.put(f"{ROOT}/{address}/sriov_numvfs", numvfs)
        self.boot()

    @property
    def functions(self) -> list[str]:
        """The addresses of the virtual functions."""
        return self._host.pci.functions[self.address].vfs

    def boot(self) -> None:
        """What the administrator's units do when the machine has started."""
        self.vgpus, self.mixes = {}, False
        made, mixes = self._at_boot
        if made:
            self.manage(True)
            self.mixes = mixes

    def manage(self, on: bool) -> None:
        """What sriov-manage does: all functions or none; mixing is off after it."""
        self.mixes = False
        if on == bool(self.functions):
            return
        self.vgpus = {}
        self._host.pci.cut(self.address, self.model.functions if on else 0)
        for number, vf in enumerate(self.functions):
            self._put(vf, number)

    def make(self, name: str, function: int = -1) -> str:
        """Somebody else makes a vGPU of the type whose name ends so; the address of its function."""
        vf = self.functions[function]
        self._host.tree.write(f"{BUS}/devices/{vf}/nvidia/current_vgpu_type", str(self.model.number(name)))
        return vf

    def state(self) -> object:
        """All that carving could change."""
        vgpus = sorted((vf, v.kind.id, v.place, v.parameters) for vf, v in self.vgpus.items())
        return vgpus, self.mixes, len(self.functions)

    def creatable(self, vf: str) -> list[Kind]:
        """What the function would take now."""
        return [] if vf in self.vgpus else [kind for kind in self.model.kinds if self._fits(kind)]

    def _fits(self, kind: Kind) -> bool:
        alive = self.vgpus.values()
        if self.mixes:
            return len(alive) < MOST and any(self._is_free(kind, place) for place in kind.places)
        return all(vgpu.kind.size == kind.size for vgpu in alive) and len(alive) < kind.limit

    def _places(self, kind: Kind) -> tuple[int, ...]:
        return kind.places if self.mixes else tuple(n * kind.size for n in range(kind.limit))

    def _is_free(self, kind: Kind, place: int, but: Vgpu | None = None) -> bool:
        others = [vgpu for vgpu in self.vgpus.values() if vgpu is not but]
        return all(place + kind.size <= v.place or v.place + v.kind.size <= place for v in others)

    # files

    def _put(self, vf: str, number: int) -> None:
        folder, tree = f"{ROOT}/{vf}/nvidia", self._host.tree
        files = {
            "creatable_vgpu_types": File(lambda: self._listed(vf)),
            "current_vgpu_type": File(lambda: self._current(vf), lambda text: self._type_written(vf, text)),
            "placement_id": File(lambda: self._of(vf, lambda v: str(v.place)), lambda t: self._place_written(vf, t)),
            "gpu_instance_id": File(lambda: self._of(vf, lambda v: "N/A")),
            "vgpu_params": File(
                lambda: self._of(vf, lambda v: v.parameters), lambda text: self._parameters_written(vf, text)
            ),
        }
        for name, file in files.items():
            tree.put(f"{folder}/{name}", file)
        tree.put(f"{ROOT}/{vf}/vfio-dev/vfio{number}", Folder())

    def _refused(self, text: str) -> None:
        raise fail(errno.ENOENT, "sriov_numvfs")  # drivers/pci/iov.c: a driver without sriov_configure

    def _listed(self, vf: str) -> str:
        rows = "".join(f"{kind.id:<6}: {kind.name}\n" for kind in self.creatable(vf))
        return "ID    : vGPU Name\n" + (f"2000  : NVIDIA {self.model.name}-1-12C\n" if self.mig else rows)

    def _current(self, vf: str) -> str:
        return f"{self.vgpus[vf].kind.id if vf in self.vgpus else 0}\n"

    def _of(self, vf: str, read: Callable[[Vgpu], str]) -> str:
        return f"{read(self._vgpu(vf))}\n"

    def _vgpu(self, vf: str) -> Vgpu:
        if vf not in self.vgpus:
            raise fail(errno.ENXIO, vf)
        return self.vgpus[vf]

    def _is_open(self, vf: str) -> bool:
        return self._host.is_open(f"/dev/vfio/{self._host.pci.functions[vf].group}")

    def _type_written(self, vf: str, text: str) -> None:
        number = _number(text)
        if number == 0:
            self._release(vf)
            return
        if vf in self.vgpus:
            raise fail(errno.EBUSY, vf)
        kind = self.model.kind(number)
        if kind is None or not self._fits(kind):
            raise fail(errno.EIO, vf)
        place = next(place for place in self._places(kind) if self._is_free(kind, place))
        self.vgpus[vf] = Vgpu(kind, place, closing=self.slow)

    def _release(self, vf: str) -> None:
        vgpu = self.vgpus.get(vf)
        if vgpu is None:
            return
        if self._is_open(vf):
            raise fail(errno.EBUSY, vf)
        if vgpu.closing:
            vgpu.closing -= 1
            raise fail(errno.EBUSY, vf)
        del self.vgpus[vf]

    def _place_written(self, vf: str, text: str) -> None:
        vgpu, place = self._vgpu(vf), _number(text)
        if self._is_open(vf):
            raise fail(errno.EBUSY, vf)
        if place not in self._places(vgpu.kind) or not self._is_free(vgpu.kind, place, vgpu):
            raise fail(errno.EIO, vf)
        vgpu.place = place

    def _parameters_written(self, vf: str, text: str) -> None:
        vgpu = self._vgpu(vf)
        if self._is_open(vf):
            raise fail(errno.EPERM, vf)
        vgpu.parameters = text.strip()


class NvidiaHost(PciHost):
    """A host with these cards, by address, and the programs of their driver."""

    def __init__(self, tool: bool = True) -> None:
        super().__init__(drivers=("vfio-pci", "nvidia"))
        self.cards: dict[str, Nvidia] = {}
        self.asked = 0
        self.locked = 0
        self.programs = {"sriov-manage": self._sriov_manage, "nvidia-smi": self._set}
        if tool:
            self.answers["nvidia-smi"] = self._tell

    def put(self, address: str, model: Model, made: bool = True, mixes: bool = False) -> Nvidia:
        """A card of the model is in the machine."""
        self.cards[address] = Nvidia(self, address, model, made, mixes)
        return self.cards[address]

    def reboot(self) -> None:
        """Everything that was made is lost, and what the administrator's units make is made again."""
        super().reboot()
        for card in self.cards.values():
            card.boot()

    def _sriov_manage(self, argv: tuple[str, ...]) -> None:
        _, action, address = argv
        if self.locked:
            self.locked -= 1
            raise OSError(errno.EIO, f"GPU at {address}\nCannot obtain unbindLock for {address}")
        card = self.cards[address]
        if action == "-d" and any(card._is_open(vf) for vf in card.functions):
            raise OSError(errno.EIO, f"Cannot obtain unbindLock for {address}")
        card.manage(action == "-e")

    def _set(self, argv: tuple[str, ...]) -> None:
        """`nvidia-smi vgpu -i <address> -shm 1`."""
        card = self.cards[argv[3]]
        if card.vgpus:
            raise OSError(errno.EIO, "In use by another client")
        card.mixes = argv[-1] == "1"

    def _tell(self, argv: tuple[str, ...]) -> str:
        self.asked += 1
        card = self.cards[argv[-1]]
        return told(card.model) if argv[1] == "vgpu" else _query(card)


def _number(text: str) -> int:
    if not text.strip().isdecimal():
        raise fail(errno.EINVAL, text)
    return int(text)


def _query(card: Nvidia) -> str:
    mode = "N/A" if card.mig else "Enabled" if card.mixes else "Disabled"
    return f"""
==============NVSMI LOG==============

vGPU Driver Capability
    Heterogenous Multi-vGPU           : Supported
GPU 00000000:65:00.0
    Product Name                      : NVIDIA {card.model.name}
    vGPU Device Capability
        Fractional Multi-vGPU         : Supported
        Heterogeneous Time-Slice Profiles : Supported
        Heterogeneous Time-Slice Sizes    : Supported
    MIG Mode
        Current                       : {"Enabled" if card.mig else "Disabled"}
        Pending                       : {"Enabled" if card.mig else "Disabled"}
    GPU Virtualization Mode
        Virtualization Mode           : Host VGPU
        Host VGPU Mode                : SR-IOV
        vGPU Heterogeneous Mode       : {mode}
"""
