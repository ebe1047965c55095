"""The PCI cards of a node VM: emulated, but its kernel drives them as it drives any.

What has SR-IOV in QEMU is an NVMe disk and a network card; a display card with a USB function beside it, in one
IOMMU group, stands for a GPU. Each is behind a root port of its own, as IOMMU groups follow those.
"""

IOMMU = "intel_iommu=on iommu=pt"

NVME, IGB, DISPLAY, USB = "0000:01:00.0", "0000:02:00.0", "0000:03:00.0", "0000:03:00.1"
NVME_FUNCTIONS = 4

# the functions of an NVMe disk have queues and vectors that its physical one can give them
_NVME = (
    f"nvme,serial=libvf,subsys=nvm,bus=port1,sriov_max_vfs={NVME_FUNCTIONS},sriov_vq_flexible=8,sriov_vi_flexible=4,"
    "max_ioqpairs=14,msix_qsize=7"
)

CARDS = (
    *("-device", "intel-iommu,intremap=on,caching-mode=on"),
    *(word for n in (1, 2, 3) for word in ("-device", f"pcie-root-port,id=port{n},chassis={n},slot={n}")),
    *("-device", "nvme-subsys,id=nvm", "-device", _NVME),
    *("-netdev", "hubport,id=nowhere,hubid=9", "-device", "igb,bus=port2,netdev=nowhere,mac=52:54:00:77:01:01"),
    *("-device", "bochs-display,bus=port3,addr=0x0,multifunction=on"),
    *("-device", "qemu-xhci,bus=port3,addr=0x0.0x1"),
)
