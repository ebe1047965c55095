"""The QEMU command line: a pure function of the launch document and the devices."""

from collections.abc import Iterator
from itertools import count

from libvf_api.launch import Launch
from libvf_api.quantity import to_bytes
from libvf_api.v1alpha1 import Cpu, DeviceIdentity, Firmware

from libvf_launcher.devices import Devices, VfioDevice
from libvf_launcher.disks import Drive, drives
from libvf_launcher.errors import BadMachine, DeviceMissing
from libvf_launcher.paths import Paths

BINARY = "qemu-system-x86_64"
# what Windows guests want of a hypervisor; Linux guests ignore what they do not know
_ENLIGHTENMENTS = "hv-relaxed,hv-vapic,hv-time,hv-spinlocks=0x1fff,hv-vendor-id=libvf"
# QEMU needs none of it once it runs, and a guest that breaks out of it should not have it either
_SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
_SATA_PORTS = 6  # of q35's own controller
_FUNCTIONS = 8  # of a PCI slot
_USUAL_ROOM = 1 << 30  # what firmware finds for a port by itself


def command_line(launch: Launch, devices: Devices, paths: Paths) -> list[str]:
    """All of QEMU's arguments; raises DeviceMissing where KVM is required and the node has none, and BadMachine.

    The clock is UTC, as every guest but Windows expects it; Windows takes `-rtc base=localtime` from extraArguments,
    which stand last and so override.
    """
    return [
        BINARY,
        *("-name", f"guest={launch.name},debug-threads=on", "-uuid", launch.uid),
        *("-nodefaults", "-no-user-config", "-sandbox", _SANDBOX),
        *_machine(launch, devices),
        *_memory(launch),
        *_smbios(launch),
        *("-rtc", "base=utc,driftfix=slew"),
        *_channels(paths),
        *_screen(launch, devices, paths),
        *_gpus(launch, devices),
        *_drives(drives(launch.spec, paths)),
        *_network(launch),
        *("-device", "virtio-rng-pci"),
        *(word for argument in launch.spec.extra_arguments or () for word in argument.split(" ", 1)),
    ]


def _machine(launch: Launch, devices: Devices) -> Iterator[str]:
    cpu = launch.spec.cpu or Cpu()
    required = (cpu.acceleration or "Required") == "Required"
    if required and not devices.accelerated:
        raise DeviceMissing(
            "cpu.acceleration is Required and the claimed kvm device is not accelerated: "
            "enable KVM on the node, or set cpu.acceleration to Preferred"
        )
    yield from ("-machine", "q35,vmport=off")
    yield from (("-accel", "kvm") if devices.accelerated else ("-accel", "tcg"))
    if devices.accelerated and not required:
        yield from ("-accel", "tcg")
    yield from ("-cpu", _cpu(launch, cpu, devices.accelerated, required))
    sockets, cores, threads = cpu.sockets or 1, cpu.cores or 1, cpu.threads or 1
    yield from ("-smp", f"{sockets * cores * threads},sockets={sockets},cores={cores},threads={threads}")


def _cpu(launch: Launch, cpu: Cpu, accelerated: bool, required: bool) -> str:
    """`host` exists under KVM only; where QEMU may fall back to TCG, `max` means the same and is there in both."""
    model = cpu.model or ("host" if accelerated and required else "max")
    parts = [model, *([_ENLIGHTENMENTS] if accelerated else []), *(["kvm=off"] if launch.spec.hide_hypervisor else [])]
    return ",".join(parts)


def _memory(launch: Launch) -> Iterator[str]:
    yield from ("-m", f"{-(-to_bytes(launch.spec.memory.size) // 2**20)}M")  # whole MiB, rounded up


def _smbios(launch: Launch) -> Iterator[str]:
    firmware = launch.spec.firmware or Firmware()
    serial = firmware.serial or launch.uid
    yield from ("-smbios", f"type=1,manufacturer=libvf,product=VirtualMachine,serial={_comma(serial)}")
    for text in firmware.oem_strings or ():
        yield from ("-smbios", f"type=11,value={_comma(text)}")


def _channels(paths: Paths) -> Iterator[str]:
    """Two QMP sockets, and the serial console that also goes to standard output, so to `kubectl logs`."""
    for name, path in (("qmp", paths.qmp), ("admin", paths.qmp_admin)):
        yield from ("-chardev", f"socket,id={name},path={path},server=on,wait=off")
        yield from ("-mon", f"chardev={name},mode=control")
    yield from ("-chardev", f"socket,id=serial,path={paths.serial},server=on,wait=off,logfile=/dev/stdout,logappend=on")
    yield from ("-serial", "chardev:serial")


def _screen(launch: Launch, devices: Devices, paths: Paths) -> Iterator[str]:
    yield from ("-display", "none", "-vga", "std" if _emulated(_graphics(launch), devices) else "none")
    if _graphics(launch) != "Headless":
        yield from ("-vnc", f"unix:{paths.vnc}")


def _emulated(mode: str, devices: Devices) -> bool:
    """Whether the guest has an emulated card: also where no device has a screen that QEMU can read, or all is black."""
    return mode in ("Safe", "Disabled") or (mode == "Accelerated" and not any(d.display for d in devices.vfio))


def _gpus(launch: Launch, devices: Devices) -> Iterator[str]:
    if _graphics(launch) == "Disabled":
        return
    shown, numbers = _graphics(launch) == "Accelerated", count()
    identity = launch.spec.device_identity or DeviceIdentity()
    for port, device in zip(count(1), devices.vfio, strict=False):
        yield from ("-device", f"pcie-root-port,id=gpuport{port},chassis={port},slot={port}{_room(device)}")
        seats = _seats(device)
        for seat, place in seats.items():
            where = f"id=hostdev{next(numbers)},bus=gpuport{port}"
            several = f",addr={seat},multifunction=on" if len(seats) > 1 else ""
            display = "on" if device.display and shown else "off"
            ids = _overrides(identity) if seat == "0x0" else ""
            yield from ("-device", f"vfio-pci,{place},{where}{several},display={display}{ids}")


def _room(device: VfioDevice) -> str:
    """Firmware gives a port as much room above 4 GiB as it asks for: a power of two that holds all BARs."""
    reserve = 1 << (device.bar_bytes - 1).bit_length() if device.bar_bytes else 0
    return f",pref64-reserve={reserve}" if reserve > _USUAL_ROOM else ""


def _seats(device: VfioDevice) -> dict[str, str]:
    """Where each function sits on its port: a card's functions keep together, its own first, as drivers expect."""
    if device.mdev:
        return {"0x0": f"sysfsdev=/sys/bus/mdev/devices/{device.mdev}"}
    places = [f"host={address}" for address in (device.pci, *device.beside)]
    if len(places) > _FUNCTIONS:
        raise BadMachine(f"{device.pci} comes with {len(places)} functions: a slot holds {_FUNCTIONS}")
    return {"0x0" if number == 0 else f"0x0.0x{number:x}": place for number, place in enumerate(places)}


def _overrides(identity: DeviceIdentity) -> str:
    ids = {
        "x-pci-vendor-id": identity.vendor_id,
        "x-pci-device-id": identity.device_id,
        "x-pci-sub-vendor-id": identity.sub_vendor_id,
        "x-pci-sub-device-id": identity.sub_device_id,
    }
    return "".join(f",{key}={value}" for key, value in ids.items() if value)


def _drives(found: list[Drive]) -> Iterator[str]:
    ports = count()
    for index, drive in enumerate(found):
        node = f"drive-{drive.name}"
        yield from ("-blockdev", _blockdev(drive, node))
        model = "virtio-blk-pci" if drive.bus == "virtio" else _sata(drive, next(ports))
        yield from ("-device", f"{model},drive={node},id={drive.name},bootindex={index}")


def _blockdev(drive: Drive, node: str) -> str:
    file = f"file.driver=file,file.filename={_comma(str(drive.file))}"
    flags = f"read-only={'on' if drive.read_only else 'off'},discard=unmap"
    return f"driver={drive.format},node-name={node},{file},{flags}"


def _sata(drive: Drive, port: int) -> str:
    if port >= _SATA_PORTS:
        raise BadMachine(f"{drive.name}: there are {_SATA_PORTS} SATA ports, CD-ROMs use them too: set bus: virtio")
    if drive.read_only and not drive.cdrom:
        raise BadMachine(f"disk {drive.name}: a SATA disk cannot be read-only: set bus: virtio")
    return f"ide-{'cd' if drive.cdrom else 'hd'},bus=ide.{port}"


def _network(launch: Launch) -> Iterator[str]:
    mode = launch.spec.network.mode if launch.spec.network else None
    if (mode or "User") == "User":
        yield from ("-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0,romfile=")


def _graphics(launch: Launch) -> str:
    mode = launch.spec.graphics.mode if launch.spec.graphics else None
    return mode or "Accelerated"


def _comma(text: str) -> str:
    """QEMU's option parser ends a value at a comma unless it is doubled."""
    return text.replace(",", ",,")
