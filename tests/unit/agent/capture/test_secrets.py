"""Nobody is identified: what was planted on a host is nowhere in the bytes of its archive, packed or unpacked."""

import gzip
import os
import uuid
from pathlib import Path

import pytest
from libvf_agent.__main__ import main
from libvf_api.capture import Capture, unpack

from tests.unit.agent.doctor import hosts
from tests.unit.agent.doctor.hosts import A2, PCI, VF, Host

MDEV, OTHER = "7c9a1c2e-4f3b-4d55-9e0a-0123456789ab", "0f8e7d6c-5b4a-4938-a716-05f4e3d2c1b0"
GPU = "9b1d3f57-2468-4ace-8bdf-13579bdf0246"
HOSTNAME, DOMAIN, NODE = "lovelace", "difference.example.org", "babbage-7"
TYPE = f"{PCI}/{VF}/mdev_supported_types/nvidia-746"

# where it is planted, what the file says, and what of that must not leave the host
PLANTS = {
    "a card's serial number": (f"{PCI}/{A2}/serial_number", "1324021054321", ["1324021054321"]),
    "a card's unique id": (f"{PCI}/{A2}/unique_id", "d3adbeefcafe0042", ["d3adbeefcafe0042"]),
    "vital product data": (f"{PCI}/{A2}/vpd", "SN0123-PLANTED", ["SN0123-PLANTED"]),
    "a monitor": (f"{PCI}/{A2}/drm/card0/card0-DP-1/edid", "MONITOR-4711", ["MONITOR-4711"]),
    "a machine's name in its VM": (f"{PCI}/{VF}/nvidia/vm_name", "countess-desktop", ["countess-desktop"]),
    "a UUID in a driver's text": (f"{PCI}/{VF}/nvidia/vgpu_params", f"uuid={OTHER.upper()}", [OTHER]),
    "a UUID without dashes": (f"{PCI}/{VF}/reset_method", uuid.UUID(OTHER).hex, [uuid.UUID(OTHER).hex]),
    "a GPU's UUID": (f"{PCI}/{VF}/nvidia/creatable_vgpu_types", f"1 : NVIDIA A2 of GPU-{GPU}", [GPU]),
    "a serial number in a text": (f"{TYPE}/name", "NVIDIA A2-4Q, Serial Number: 4242-PLANTED", ["4242-PLANTED"]),
    "a MAC": (f"{PCI}/{A2}/power_state", "D0 52:54:00:AB:CD:EF", ["52:54:00:AB:CD:EF"]),
    "another MAC": (f"{PCI}/{A2}/enable", "1 52-54-00-12-34-56", ["52-54-00-12-34-56"]),
    "an InfiniBand address": (f"{PCI}/{A2}/revision", "0xa1 24:8a:07:03:00:9c:f1:22", ["24:8a:07:03:00:9c:f1:22"]),
    "a network card's address": ("sys/class/net/eth0/address", "52:54:00:99:88:77", ["52:54:00:99:88:77"]),
    "the kernel's local version": (
        "proc/sys/kernel/osrelease", f"6.12.9-{HOSTNAME.upper()}-of-{NODE}", [HOSTNAME, NODE],
    ),
    "who built the driver": (
        "proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.144.02  Release Build  (ada@notes)  Tue Dec 3",
        ["ada@", "notes", "Tue Dec"],
    ),
    "a user in a driver's text": (f"{PCI}/{VF}/driver_override", "by ada@notes", ["ada@", "notes"]),
    "the host's full name": (f"{TYPE}/device_api", f"vfio-pci {HOSTNAME}.{DOMAIN}", [HOSTNAME, DOMAIN]),
    "its name": ("proc/sys/kernel/hostname", f"{HOSTNAME}.{DOMAIN}", [HOSTNAME]),
    "its other name": ("proc/1/root/etc/hostname", "analytical-engine", ["analytical-engine"]),
    "its other name in a text": (f"{PCI}/{A2}/sriov_vf_device", "25b6 Analytical-Engine", ["analytical-engine"]),
    "the boot": ("proc/sys/kernel/random/boot_id", "5d41402a-bc4b-4a76-b971-9d911017c592", ["9d911017c592"]),
    "the machine": ("etc/machine-id", "5eb63bbbe01eeed093cb22bb8f5acdc3", ["5eb63bbbe01eeed093cb22bb8f5acdc3"]),
    "the board": ("sys/class/dmi/id/product_uuid", "4c4c4544-0042-3510-8054-b4c04f564432", ["b4c04f564432"]),
    "the command line": (
        "proc/cmdline",
        f"BOOT_IMAGE=/vmlinuz root=UUID={OTHER} rd.luks.name=cellar user=ada ip=10.9.8.7:::::eth0 quiet "
        f'systemd.hostname={HOSTNAME} intel_iommu=on iommu=pt vfio-pci.ids=10de:25b6 note="two words" '
        "i915.firmware=/home/ada/fw pci=/home/ada modprobe.blacklist=nouveau,ada@notes",
        ["BOOT_IMAGE", OTHER, "cellar", "user=", "10.9.8.7", "eth0", "quiet", "two words", "/home", "ada@"],
    ),
    "the distribution": (
        "etc/os-release", 'ID=debian\nPRETTY_NAME="Countess Linux"\nVERSION_ID="13"\nHOME_URL=https://private.example',
        ["Countess", "private.example"],
    ),
    "the processor": (
        "proc/cpuinfo", "vendor_id\t: GenuineIntel\nflags\t\t: fpu vmx sse\nSerial\t\t: 00f00d4711", ["00f00d4711"],
    ),
    "how much memory exactly": (
        "sys/devices/system/node/node0/meminfo", "Node 0 MemTotal:       65843212 kB\nNode 0 MemFree: 1234321 kB",
        ["65843212", "1234321"],
    ),
    "another process": ("proc/4711/comm", "difference-engn", ["difference-engn"]),
    "another process's words": ("proc/700/cmdline", "nvidia-vgpud --token=hunter2", ["hunter2"]),
    "another module": ("sys/module/nvidia/parameters/NVreg_ExcludedGpus", f"GPU-{GPU}", ["ExcludedGpus"]),
    "a group's name": ("sys/kernel/iommu_groups/7/name", "countess", ["countess"]),
}  # fmt: skip

TYPES = f"""GPU 00000000:65:00.0
    Serial Number                         : 1325021000001
    Name                                  : by-{HOSTNAME}-1Q
    vGPU Type ID                          : 0x2ea
        Name                              : NVIDIA A2-4Q
        GPU UUID                          : GPU-{GPU}
        Board Part Number                 : 900-2G179-0020
        FB Memory                         : 4096 MiB of countess
        Max Instances                     : 4
        License                           : to ada at notes
    Processes
        Name                              : /home/ada/trainer-1Q
    vGPU Type ID                          : 0x2eb
        Name                              : /home/ada/another-2Q
"""
MODES = f"""GPU 00000000:65:00.0
    Product Name                          : NVIDIA A2
    Serial Number                         : 1325021000002
    GPU UUID                              : GPU-{OTHER}
    Board Part Number                     : 900-2G179-0021
    VBIOS Version                         : 94.16.5f.00.01
    vGPU Device Capability
        Heterogeneous Time-Slice Sizes    : Supported
    MIG Mode                              : 900-2G179-0022
        Current                           : 1325021000003
    MIG Mode
        Current                           : Disabled
        Pending                           : countess
    vGPU Heterogeneous Mode               : on countess
    vGPU Heterogeneous Mode               : Disabled
    Inforom Version
        Current                           : G179.0200.00.04
    Processes
        Process ID                        : 47110
        Name                              : /home/ada/difference --on={HOSTNAME}
"""
IN_ANSWERS = [
    "13250210", GPU, OTHER, "900-2G179", "94.16.5f", "G179", "countess", "/home", "ada", HOSTNAME, "47110", "Serial",
    "UUID", "License", "Product", "Pending", "Process",
]  # fmt: skip


def with_tool(folder: Path) -> str:
    """A PATH on which the door to the host's programs leads to an nvidia-smi that says the above, and to no other."""
    for name, said in {"types": TYPES, "modes": MODES}.items():
        (folder / name).write_text(said)
    door = folder / "nsenter"
    door.write_text(
        f"""#!/bin/sh
case "$*" in
*" -- nvidia-smi vgpu -s -v -i {A2}") exec cat {folder}/types ;;
*" -- nvidia-smi -q -i {A2}") exec cat {folder}/modes ;;
esac
exit 9
"""
    )
    door.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def planted(root: Path) -> Host:
    """A host with a mediated device whose UUID is wherever a kernel shows it, and with all of the above."""
    host = hosts.with_nvidia(root)
    for path, text, _ in PLANTS.values():
        host.write(path, text)
    host.link(f"{PCI}/{VF}/{MDEV}/mdev_type", "../mdev_supported_types/nvidia-746")
    host.link(f"{PCI}/{VF}/{MDEV}/iommu_group", f"{'../' * 5}kernel/iommu_groups/9")
    host.write(f"{PCI}/{VF}/{MDEV}/remove")
    host.write(f"{PCI}/{VF}/{MDEV}/nvidia/vgpu_params", f"vm={MDEV}")
    host.link(f"{TYPE}/devices/{MDEV}", f"../../../{MDEV}")
    host.link(f"sys/bus/mdev/devices/{MDEV}", f"../../pci/devices/{VF}/{MDEV}")
    host.link(f"sys/kernel/iommu_groups/9/devices/{MDEV}", f"{'../' * 4}bus/pci/devices/{VF}/{MDEV}")
    return host


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the command writes on that host."""
    root = tmp_path_factory.mktemp("host")
    planted(root).write(f"{PCI}/{A2}/sriov_totalvfs", "16")  # one that NVIDIA's tool is asked of
    file = root / "archive.tar.gz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODE_NAME", NODE)
        patch.setenv("PATH", with_tool(tmp_path_factory.mktemp("programs")))
        assert main(["capture", "--root", str(root), "--output", str(file)]) == 0
    return file.read_bytes()


@pytest.fixture(scope="module")
def found(archive: bytes) -> Capture:
    return unpack(archive)


@pytest.mark.parametrize("plant", PLANTS)
def test_it_is_nowhere_in_the_archive(plant: str, archive: bytes) -> None:
    unpacked = gzip.decompress(archive).lower()
    for secret in PLANTS[plant][2]:
        assert secret.lower().encode() not in archive.lower()
        assert secret.lower().encode() not in unpacked


@pytest.mark.parametrize("secret", IN_ANSWERS)
def test_of_what_nvidias_tool_says_it_is_nowhere(secret: str, found: Capture) -> None:
    assert secret.lower() in f"{TYPES}{MODES}".lower()
    assert secret.lower() not in " ".join(found.manifest.programs.values()).lower()


@pytest.mark.parametrize("secret", ["13250210", "900-2G179", "94.16.5f", "G179.0200", "/home/ada", "countess"])
def test_nor_anywhere_else_in_the_archive(secret: str, archive: bytes) -> None:
    assert secret.lower().encode() not in gzip.decompress(archive).lower()


def test_of_what_nvidias_tool_says_types_and_modes_are_there(found: Capture) -> None:
    types, modes = (found.manifest.programs[f"nvidia-smi {words} -i {A2}"] for words in ("vgpu -s -v", "-q"))
    assert [line.split(" : ") for line in types.splitlines()] == [
        ["vGPU Type ID", "0x2ea"],
        ["Name", "NVIDIA A2-4Q"],
        ["FB Memory", "?"],
        ["Max Instances", "4"],
        ["vGPU Type ID", "0x2eb"],
        ["Name", "?"],
    ]
    assert [line.split() for line in modes.splitlines()] == [
        ["Heterogeneous", "Time-Slice", "Sizes", ":", "Supported"],
        ["MIG", "Mode"],
        ["Current", ":", "Disabled"],
        ["vGPU", "Heterogeneous", "Mode", ":", "Disabled"],
    ]


@pytest.mark.parametrize("form", [MDEV, uuid.UUID(MDEV).hex, MDEV.split("-")[-1]])
def test_the_uuid_of_a_mediated_device_is_nowhere(form: str, archive: bytes) -> None:
    assert form.encode() not in gzip.decompress(archive).lower()


def test_what_was_planted_beside_is_there_so_that_the_search_is_no_empty_one(found: Capture) -> None:
    assert found.files["proc/cmdline"] == (
        "intel_iommu=on iommu=pt vfio-pci.ids=10de:25b6 modprobe.blacklist=nouveau,user@host\n"
    )
    assert found.files["etc/os-release"] == 'ID=debian\nVERSION_ID="13"\n'
    assert found.files["proc/driver/nvidia/version"] == (
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.144.02\n"
    )
    assert found.files["proc/cpuinfo"] == "vendor_id\t: GenuineIntel\nflags\t\t: vmx\n"
    assert found.files["proc/sys/kernel/osrelease"] == "6.12.9-host-of-host\n"
    assert found.files["sys/devices/system/node/node0/meminfo"] == "Node 0 MemTotal:       66060288 kB\n"
    assert found.files[f"{TYPE}/name"] == "NVIDIA A2-4Q, Serial Number: removed\n"
    assert found.files[f"{PCI}/{VF}/driver_override"] == "by user@host\n"
    assert found.files[f"{PCI}/{A2}/power_state"] == "D0 00:00:00:00:00:00\n"
    assert found.files["proc/700/comm"] == "nvidia-vgpud\n"


def test_a_mediated_device_has_one_other_uuid_wherever_it_is_named(found: Capture) -> None:
    [link] = [path for path in found.manifest.links if path.startswith("sys/bus/mdev/devices/")]
    name = link.rpartition("/")[2]
    home = f"{PCI}/{VF}/{name}"
    assert uuid.UUID(name) != uuid.UUID(MDEV)
    assert found.manifest.links[link] == home
    assert found.manifest.links[f"{TYPE}/devices/{name}"] == home
    assert found.manifest.links[f"sys/kernel/iommu_groups/9/devices/{name}"] == home
    assert found.manifest.links[f"{home}/mdev_type"] == TYPE
    assert found.files[f"{home}/nvidia/vgpu_params"] == f"vm={name}\n"
    assert f"{home}/remove" in found.manifest.write_only


def test_two_archives_of_one_host_name_it_differently(tmp_path: Path) -> None:
    planted(tmp_path)
    for number in (1, 2):
        assert main(["capture", "--root", str(tmp_path), "--output", str(tmp_path / f"{number}.tar.gz")]) == 0
    first, second = (unpack((tmp_path / f"{number}.tar.gz").read_bytes()) for number in (1, 2))
    assert first.files.keys() != second.files.keys()
    assert len(first.files) == len(second.files)
