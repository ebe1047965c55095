"""The devices that the VM's claims became, read from the metadata files."""

from dataclasses import dataclass

from libvf_api import metadata, names
from libvf_api.launch import HostDevice, Launch

from libvf_launcher import cells, resolver
from libvf_launcher.cell import Cell
from libvf_launcher.errors import DeviceMissing
from libvf_launcher.paths import Paths


@dataclass(frozen=True, slots=True)
class VfioDevice:
    """A device to attach by VFIO: a mediated device by its UUID, or a PCI function by its address.

    `beside` are the other functions of a whole card (audio, USB); `bar_bytes` is how much address space it wants.
    """

    gpu: str
    mdev: str | None = None
    pci: str | None = None
    display: bool = False
    beside: tuple[str, ...] = ()
    bar_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Tap:
    """The tap in the Pod's network, by name; `vhost` where the kernel may carry its data (/dev/vhost-net).

    `servers` and `search` are the Pod's name servers and the domains that it looks in.
    """

    name: str
    vhost: bool = False
    mtu: int = 1500
    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nic:
    """A virtual function of a network card by its PCI address; `name` is its claim's within the VM, nic-<name>."""

    name: str
    pci: str


@dataclass(frozen=True, slots=True)
class Devices:
    """All devices of a VM; `accelerated` tells whether the claimed kvm device is the real one.

    `virtual` are the GPUs by name for which no slice was left: QEMU draws for them. `vsock` is the number (CID) that
    the node's agent has allotted, `usb` the host's USB devices, each by its name and its node. `cell` is what it has of
    a NUMA node.
    """

    vfio: tuple[VfioDevice, ...]
    accelerated: bool
    virtual: tuple[str, ...] = ()
    tap: Tap | None = None
    nics: tuple[Nic, ...] = ()
    vsock: int | None = None
    usb: tuple[tuple[str, str], ...] = ()
    cell: Cell | None = None


def read(launch: Launch, paths: Paths) -> Devices:
    """Every claimed device; raises DeviceMissing with the claim's name."""
    found = [(gpu.name, device) for gpu in launch.gpus for device in _gpu(gpu.claim, gpu.request, paths)]
    vfio = tuple(_vfio(name, device) for name, device in found if not _virtual(device))
    virtual = tuple(name for name, device in found if _virtual(device))
    others = _tap(launch, paths), _nics(launch, paths), _vsock(launch, paths), _usb(launch, paths)
    return Devices(vfio, _accelerated(launch, paths), virtual, *others, cells.read(launch, paths))


def _nics(launch: Launch, paths: Paths) -> tuple[Nic, ...]:
    return tuple(_nic(one, paths) for one in launch.devices if one.kind == names.NIC)


def _nic(wanted: HostDevice, paths: Paths) -> Nic:
    for device in _read(wanted.claim, wanted.request, paths):
        if address := device.get(names.PCI_ATTRIBUTE):
            return Nic(wanted.name, str(address))
    raise DeviceMissing(f"claim {wanted.claim} has no network function: delete the Pod to have it prepared anew")


def _tap(launch: Launch, paths: Paths) -> Tap | None:
    for wanted in (one for one in launch.devices if one.kind == "tap"):
        [device] = _read(wanted.claim, wanted.request, paths)
        name = str(device.get("tap"))
        mtu = paths.root / "sys/class/net" / name / "mtu"
        if not mtu.exists():
            raise DeviceMissing(
                f"claim {wanted.claim} promises a tap {name} and this Pod has none: is the agent's hook on its node?"
            )
        vhost = bool(device.get("vhostNet"))
        return Tap(name, vhost, int(mtu.read_text()), *resolver.read(paths.root / "etc/resolv.conf"))
    return None


def _vsock(launch: Launch, paths: Paths) -> int | None:
    for wanted in (one for one in launch.devices if one.kind == "vsock"):
        [device] = _read(wanted.claim, wanted.request, paths)
        cid = device.get("vsockCid")
        if not cid:
            raise DeviceMissing(f"claim {wanted.claim} brought no number for a vsock: update the agent of this node")
        return int(cid)
    return None


def _usb(launch: Launch, paths: Paths) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, _usb_node(one, paths)) for one in launch.devices if one.kind == "usb")


def _usb_node(wanted: HostDevice, paths: Paths) -> str:
    [device] = _read(wanted.claim, wanted.request, paths)
    node = str(device.get("usbNode"))
    if not (paths.root / node.lstrip("/")).exists():
        raise DeviceMissing(f"claim {wanted.claim} promises {node} and this Pod has none: delete the Pod")
    return node


def _gpu(claim: str, request: str, paths: Paths) -> list[metadata.Device]:
    found = _read(claim, request, paths)
    if not found:
        raise DeviceMissing(
            f"claim {claim} has no device for request {request}: delete the Pod to have it prepared anew"
        )
    return found


def _virtual(device: metadata.Device) -> bool:
    return device.get("kind") == names.VIRTUAL_GPU


def _vfio(name: str, device: metadata.Device) -> VfioDevice:
    mdev, pci = device.get("mdevUUID"), device.get("resource.kubernetes.io/pciBusID")
    if not mdev and not pci:
        raise DeviceMissing(f"device {device.name} of gpu {name} has neither mdevUUID nor pciBusID in its metadata")
    if mdev:
        return VfioDevice(name, mdev=str(mdev), display=bool(device.get("display")))
    beside = tuple(one for one in str(device.get("pciFunctions") or "").split() if one != pci)
    return VfioDevice(name, pci=str(pci), beside=beside, bar_bytes=int(device.get("barBytes") or 0))


def _accelerated(launch: Launch, paths: Paths) -> bool:
    if launch.kvm is None:
        return False
    return any(bool(device.get("accelerated")) for device in _read(launch.kvm.claim, launch.kvm.request, paths))


def _read(claim: str, request: str, paths: Paths) -> list[metadata.Device]:
    try:
        return metadata.read(metadata.path(claim, request, paths.root))
    except metadata.BadMetadata as error:
        raise DeviceMissing(str(error)) from error
