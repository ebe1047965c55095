"""The PCI cards of a node VM: emulated, but its kernel drives them as it drives any.

What has SR-IOV in QEMU is an NVMe disk and a network card; a display card with a USB function beside it, in one
IOMMU group, stands for a GPU. Each is behind a root port of its own, as IOMMU groups follow those.
"""

IOMMU = "intel_iommu=on iommu=pt"

NVME, IGB, DISPLAY, USB = "0000:01:00.0", "0000:02:00.0", "0000:03:00.0", "0000:03:00.1"
NVME_FUNCTIONS = 4

_PXB_BUSES = (32, 64)  # where the buses of NUMA nodes 0 and 1 begin; the disk of each is behind a port, one bus further
NUMA_NVMES = tuple(f"0000:{bus + 1:02x}:00.0" for bus in _PXB_BUSES)
NUMA_FUNCTIONS = 6


def _nvme(name: str, port: str, functions: int) -> str:
    """The functions of an NVMe disk have queues and vectors that its physical one can give them."""
    queues, vectors = 2 * functions, functions
    flexible = f"sriov_max_vfs={functions},sriov_vq_flexible={queues},sriov_vi_flexible={vectors}"
    return f"nvme,serial=libvf,subsys={name},bus={port},{flexible},max_ioqpairs={queues + 6},msix_qsize={vectors + 3}"


_IOMMU_DEVICE = ("-device", "intel-iommu,intremap=on,caching-mode=on")

CARDS = (
    *_IOMMU_DEVICE,
    *(word for n in (1, 2, 3) for word in ("-device", f"pcie-root-port,id=port{n},chassis={n},slot={n}")),
    *("-device", "nvme-subsys,id=nvm", "-device", _nvme("nvm", "port1", NVME_FUNCTIONS)),
    *("-netdev", "hubport,id=nowhere,hubid=9", "-device", "igb,bus=port2,netdev=nowhere,mac=52:54:00:77:01:01"),
    *("-device", "bochs-display,bus=port3,addr=0x0,multifunction=on"),
    *("-device", "qemu-xhci,bus=port3,addr=0x0.0x1"),
)


def numa_cards(nodes: int) -> list[str]:
    """An NVMe disk with virtual functions on each NUMA node, the only cards that there can be said to be on one.

    Its bus hangs on an expander bridge, whose NUMA node the firmware's tables tell (ACPI _PXM); nothing but a root port
    may plug into that. The kernel's sample mediated devices are on no bus, so they are on no NUMA node.
    """
    words = [*_IOMMU_DEVICE]
    for number, bus in zip(range(nodes), _PXB_BUSES, strict=False):
        port, disk = f"numaport{number}", f"nvm{number}"
        words += ("-device", f"pxb-pcie,id=pxb{number},bus=pcie.0,bus_nr={bus},numa_node={number}")
        words += ("-device", f"pcie-root-port,id={port},bus=pxb{number},chassis={10 + number},slot={10 + number}")
        words += ("-device", f"nvme-subsys,id={disk}", "-device", _nvme(disk, port, NUMA_FUNCTIONS))
    return words
