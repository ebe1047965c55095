"""The VM's cell, as its claim's metadata says, and the CPUs that the guest is shown."""

from libvf_api import metadata, names
from libvf_api.launch import Launch
from libvf_api.v1alpha1 import Cpu, Numa

from libvf_launcher.cell import Cell
from libvf_launcher.errors import BadMachine, DeviceMissing
from libvf_launcher.paths import Paths


def read(launch: Launch, paths: Paths) -> Cell | None:
    """The cell of one of the VM's claims; raises DeviceMissing where it insists on one and there is none."""
    numa = launch.spec.numa or Numa()
    if not numa.policy or numa.policy == "None":
        return None
    found = [_cell(device, paths) for claim in _claims(launch, paths) for device in _devices(claim, paths)]
    cell = next((one for one in found if one), None)
    if cell is None and numa.policy == "Aligned":
        raise DeviceMissing("spec.numa.policy is Aligned and no claim brought a cell: update the agent of this node")
    if cell and len(cell.cpus) < count(launch.spec.cpu or Cpu()):
        raise BadMachine(f"its cell has {len(cell.cpus)} CPUs, which are fewer than spec.cpu asks for: make it larger")
    return cell


def count(cpu: Cpu) -> int:
    """How many virtual CPUs there are."""
    return (cpu.sockets or 1) * (cpu.cores or 1) * (cpu.threads or 1)


def topology(cpu: Cpu, cell: Cell | None) -> tuple[int, int, int]:
    """Sockets, cores and threads: as they are in the cell, where the spec has a number of CPUs and no word on these."""
    total = count(cpu)
    if cell is None or cpu.sockets or cpu.threads or total % cell.threads:
        return cpu.sockets or 1, cpu.cores or 1, cpu.threads or 1
    return 1, total // cell.threads, cell.threads


def _claims(launch: Launch, paths: Paths) -> list[str]:
    """Claims that have a request for a cell: those of GPUs, as all of it is one claim, or one of its own."""
    own = [one.claim for one in launch.devices if one.kind == names.CELL]
    beside = [gpu.claim for gpu in launch.gpus if metadata.path(gpu.claim, names.CELL, paths.root).exists()]
    return [*own, *beside]


def _devices(claim: str, paths: Paths) -> list[metadata.Device]:
    try:
        return metadata.read(metadata.path(claim, names.CELL, paths.root))
    except metadata.BadMetadata as error:
        raise DeviceMissing(str(error)) from error


def _cell(device: metadata.Device, paths: Paths) -> Cell | None:
    if device.get("kind") != names.CELL:
        return None
    cpus = tuple(int(number) for number in str(device.get("cpus") or "").split(",") if number)
    node, threads = device.get("numaNode"), device.get("threads")
    return Cell(int(node or 0), cpus, _listed(str(device.get("sharedCpus") or "")), int(threads or 1), _amd(paths))


def _listed(text: str) -> tuple[int, ...]:
    """As the kernel writes a list: "0-2,8"."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


def _amd(paths: Paths) -> bool:
    """Whether the node's CPUs are AMD's, which tell of threads only with topoext."""
    try:
        told = (paths.root / "proc/cpuinfo").read_text()
    except OSError:
        return False
    return "AuthenticAMD" in told and "topoext" in told
