"""The machine itself: chipset, accelerator, CPUs, clock, and what its firmware says of it."""

from collections.abc import Iterator

from libvf_api.launch import Launch
from libvf_api.v1alpha1 import Cpu, Firmware

from libvf_launcher import cells
from libvf_launcher.devices import Devices
from libvf_launcher.errors import DeviceMissing
from libvf_launcher.options import comma

# All that QEMU's hyperv.rst recommends for Windows guests and KVM has had since Linux 5.14. Left out: what only nested
# Hyper-V asks for and costs posted interrupts (evmcs), what needs pinned vCPUs (no-nonarch-coresharing) or certain
# hardware (avic), and crash, with which Windows writes no dump. Guests of other kinds ignore what they do not know.
_ENLIGHTENMENTS = (
    "hv-relaxed,hv-vapic,hv-spinlocks=0x1fff,hv-vpindex,hv-runtime,hv-time,hv-synic,hv-stimer,hv-stimer-direct,"
    "hv-tlbflush,hv-ipi,hv-frequencies,hv-reenlightenment,hv-xmm-input,hv-vendor-id=libvf"
)
# NVIDIA's drivers before R465 end with code 43 where they read KVM's signature or Microsoft's in CPUID 0x40000000: the
# vendor id above is neither. QEMU's emulator has a signature of its own.
_HIDDEN = "kvm=off,tcg-cpuid=off"


def arguments(launch: Launch, devices: Devices) -> Iterator[str]:
    """Chipset and CPUs; raises DeviceMissing where KVM is required and the node has none."""
    yield from _machine(launch, devices)
    yield from _smbios(launch)
    yield from ("-rtc", f"base={'localtime' if launch.spec.clock == 'LocalTime' else 'utc'},driftfix=slew")


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
    sockets, cores, threads = cells.topology(cpu, devices.cell)
    amd = devices.cell is not None and devices.cell.topoext and threads > 1
    yield from ("-cpu", _cpu(launch, cpu, devices.accelerated, required) + (",topoext=on" if amd else ""))
    yield from ("-smp", f"{sockets * cores * threads},sockets={sockets},cores={cores},threads={threads}")


def _cpu(launch: Launch, cpu: Cpu, accelerated: bool, required: bool) -> str:
    """`host` exists under KVM only; where QEMU may fall back to TCG, `max` means the same and is there in both."""
    model = cpu.model or ("host" if accelerated and required else "max")
    parts = [model, *([_ENLIGHTENMENTS] if accelerated else []), *([_HIDDEN] if launch.spec.hide_hypervisor else [])]
    return ",".join(parts)


def _smbios(launch: Launch) -> Iterator[str]:
    firmware = launch.spec.firmware or Firmware()
    serial = firmware.serial or launch.uid
    yield from ("-smbios", f"type=1,manufacturer=libvf,product=VirtualMachine,serial={comma(serial)}")
    for text in firmware.oem_strings or ():
        yield from ("-smbios", f"type=11,value={comma(text)}")
