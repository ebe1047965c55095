"""Every name that crosses from one program to another (docs/contracts.md)."""

GROUP = "libvf.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
MACHINES = "virtualmachines"
PARTITIONS = "gpupartitions"
POLICIES = "gpupolicies"
CATEGORY = "libvf"
SUBRESOURCES_GROUP = "subresources.libvf.io"  # the API group of the gateway

DRIVER = "libvf.io"
GPU_CLASS = "gpu.libvf.io"
OPEN_CLASS = "open-gpu.libvf.io"  # those of them whose card is cut already so that they fit
KVM_CLASS = "kvm.libvf.io"
TAP_CLASS = "tap.libvf.io"
NIC_CLASS = "nic.libvf.io"
VSOCK_CLASS = "vsock.libvf.io"
USB_CLASS = "usb.libvf.io"
VIRTUAL_GPU_CLASS = "virtual-gpu.libvf.io"
CELL_CLASS = "cell.libvf.io"
FLOATING_CLASS = "floating.libvf.io"
GPU_REQUEST = "gpu"
KVM_REQUEST = "kvm"
NIC = "nic"  # the kind of what a network card offers, and the request of a claim on it
CELL = "cell"  # the kind of the devices, and the request of a claim that wants one
FLOATING = "floating"  # the kind of the device that a claim gets where no cell is left, its name, and that alternative
VIRTUAL_GPU = "virtual-gpu"  # the kind of the device, its pool's name, and the alternative of a claim that takes it

OPERATOR_MANAGER = "libvf-operator"
AGENT_MANAGER = "libvf-agent"
GATEWAY_MANAGER = "libvf-gateway"
GATEWAY = "libvf-gateway"  # its Service, and the Secret with its certificate

NAMESPACE = "libvf-system"
AGENT_SELECTOR = "app.kubernetes.io/name=libvf-agent"
AGENT_CONTAINER = "agent"
LAUNCHER_CONTAINER = "launcher"
NODE_CONDITION = "LibvfReady"

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "libvf"
MACHINE_LABEL = "libvf.io/machine"
PARTITION_LABEL = "libvf.io/partition"
SLICES_LABEL = "libvf.io/slices"  # equal for Pods of VMs that ask for equal slices
MACHINE_ANNOTATION = "libvf.io/machine"
REPORT_LABEL = "libvf.io/reports"
REPORT = "policies"  # the label's value, on the ResourceSlice that carries the annotation
REPORT_ANNOTATION = "libvf.io/policies"
REQUESTED_STATE = "libvf.io/requested-state"
RESTART_REQUESTED = "libvf.io/restart-requested"  # any new value, a time by custom; a Pod has the one it was made for
STARTED_STRATEGY = "libvf.io/started-strategy"  # the run strategy of a halted VM when it is started again

RESIDENCE = "residence"  # in the data of a cell: where its QEMU is, as read from /proc (residence.Residence)
GUEST = "guest"  # in the data of a kvm device: what the guest says of itself (guest_report.Guest)

DISK_FILE = "disk.img"  # of an image or a claim, where the spec names no path

QEMU_ID = 107  # uid and gid of QEMU, and the owner of the device nodes it is given

# a guest's place behind its Pod: what RFC 7335 sets aside for the link between a host and its own translator
GUEST_NETWORK = "192.0.0.0/29"
GUEST_GATEWAY = "192.0.0.1"
GUEST_ADDRESS = "192.0.0.2"
TAP_LINK = "vm0"

NUMA_ATTRIBUTE = "resource.kubernetes.io/numaNode"
PCI_ATTRIBUTE = "resource.kubernetes.io/pciBusID"
PCIE_ROOT_ATTRIBUTE = "resource.kubernetes.io/pcieRoot"

READINESS_PORT = 61107  # of the launcher's Pod: whether the guest runs, for kubelet
RUN_FOLDER = "/run/libvf"  # of the launcher
SHARED_MEMORY_FOLDER = "/dev/shm"

ATTRIBUTES_FOLDER = "/var/run/kubernetes.io/dra-device-attributes"
METADATA_FILE = f"{DRIVER}-metadata.json"
