"""The machine itself: chipset, accelerator, CPUs, memory, clock, and what its firmware says of it."""

from collections.abc import Iterator

from libvf_api.launch import Launch
from libvf_api.quantity import to_bytes
from libvf_api.v1alpha1 import Cpu, Firmware

from libvf_launcher.devices import Devices
from libvf_launcher.errors import DeviceMissing
from libvf_launcher.options import comma

# what Windows guests want of a hypervisor; Linux guests ignore what they do not know
_ENLIGHTENMENTS = "hv-relaxed,hv-vapic,hv-time,hv-spinlocks=0x1fff,hv-vendor-id=libvf"


def arguments(launch: Launch, devices: Devices) -> Iterator[str]:
    """Chipset, CPUs and memory; raises DeviceMissing where KVM is required and the node has none.

    The clock is UTC, as every guest but Windows expects it; Windows takes `-rtc base=localtime` from extraArguments,
    which stand last and so override.
    """
    yield from _machine(launch, devices)
    yield from _memory(launch)
    yield from _smbios(launch)
    yield from ("-rtc", "base=utc,driftfix=slew")


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
    yield from ("-smbios", f"type=1,manufacturer=libvf,product=VirtualMachine,serial={comma(serial)}")
    for text in firmware.oem_strings or ():
        yield from ("-smbios", f"type=11,value={comma(text)}")
