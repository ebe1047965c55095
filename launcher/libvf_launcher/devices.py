"""The devices that the VM's claims became, read from the metadata files."""

from dataclasses import dataclass

from libvf_api import metadata, names
from libvf_api.launch import Launch

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
class Devices:
    """All devices of a VM; `accelerated` tells whether the claimed kvm device is the real one.

    `virtual` are the GPUs by name for which no slice was left: QEMU draws for them.
    """

    vfio: tuple[VfioDevice, ...]
    accelerated: bool
    virtual: tuple[str, ...] = ()


def read(launch: Launch, paths: Paths) -> Devices:
    """Every claimed device; raises DeviceMissing with the claim's name."""
    found = [(gpu.name, device) for gpu in launch.gpus for device in _gpu(gpu.claim, gpu.request, paths)]
    vfio = tuple(_vfio(name, device) for name, device in found if not _virtual(device))
    virtual = tuple(name for name, device in found if _virtual(device))
    return Devices(vfio, _accelerated(launch, paths), virtual)


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
