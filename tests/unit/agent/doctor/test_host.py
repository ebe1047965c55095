"""What the doctor says of a host: nothing bad of one that lacks nothing, and the cure of each thing taken away."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from libvf_agent.doctor.facts import NodeInfo
from libvf_api.host import Severity

from tests.unit.agent.doctor import hosts
from tests.unit.agent.doctor.hosts import A2, PAGES, PCI, Host

SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return hosts.bare(tmp_path)


@pytest.mark.parametrize("make", [hosts.bare, hosts.with_nvidia, hosts.with_gvt, hosts.with_xe])
def test_a_host_that_lacks_nothing_has_no_complaints(make: Callable[[Path], Host], tmp_path: Path) -> None:
    host = make(tmp_path)
    assert host.complaints() == []
    assert len({finding.check for finding in host.findings()}) >= 9


def test_no_iommu_is_an_error_only_where_a_card_reaches_into_memory_by_itself(tmp_path: Path) -> None:
    for number, (make, severity) in enumerate(
        [
            (hosts.with_nvidia, Severity.ERROR),
            (hosts.with_xe, Severity.ERROR),
            (hosts.with_gvt, Severity.WARNING),
            (hosts.bare, Severity.WARNING),
        ]
    ):
        host = make(tmp_path / str(number))
        host.remove("sys/class/iommu")
        assert host.complaints() == [("Iommu", severity)]


def test_an_iommu_that_is_off_is_cured_by_the_command_line_if_that_lacks_its_words(host: Host) -> None:
    host.remove("sys/class/iommu")
    assert host.finding("Iommu").cure == "turn on VT-d in the firmware's settings"
    host.write("proc/cmdline", "root=UUID=1 ro intel_iommu=off")
    assert host.finding("Iommu").cure == (
        "python3 -m libvf_agent prepare --yes, then reboot; "
        "the kernel was started without intel_iommu=on iommu=pt and with intel_iommu=off"
    )


def test_amds_iommu_is_on_by_itself_and_cured_by_the_command_line_only_if_that_turns_it_off(host: Host) -> None:
    host.remove("sys/class/iommu")
    host.write("proc/cpuinfo", "vendor_id\t: AuthenticAMD\nflags\t\t: fpu svm sse")
    host.write("proc/cmdline", "root=UUID=1 ro")
    assert host.finding("Iommu").cure == "turn on IOMMU (AMD-Vi) in the firmware's settings"
    host.write("proc/cmdline", "root=UUID=1 ro amd_iommu=off")
    assert host.finding("Iommu").cure.endswith("the kernel was started without iommu=pt and with amd_iommu=off")


def test_a_card_that_the_iommu_leaves_out_is_named(tmp_path: Path) -> None:
    host = hosts.with_nvidia(tmp_path)
    assert host.finding("IommuGroup").what == "in IOMMU group 7"
    host.remove(f"{PCI}/{A2}/iommu_group")
    found = host.finding("IommuGroup")
    assert (found.subject, found.severity) == (A2, Severity.ERROR)


def test_vfio_that_is_not_loaded_is_an_error_and_vfio_pci_alone_a_warning(host: Host) -> None:
    host.remove("sys/module/vfio_pci")
    assert host.finding("Vfio").severity is Severity.WARNING
    host.remove("sys/module/vfio_iommu_type1")
    found = host.finding("Vfio")
    assert found.severity is Severity.ERROR
    assert found.what == "not in /sys/module: vfio_iommu_type1, vfio_pci"
    assert found.cure.endswith("modprobe --all vfio_iommu_type1 vfio_pci")


def test_vfio_built_into_the_kernel_is_known_by_its_class(host: Host) -> None:
    host.remove("sys/module/vfio")
    assert host.finding("Vfio").severity is Severity.ERROR
    host.write("sys/class/vfio-dev/x")
    assert host.finding("Vfio").severity is Severity.OK


def test_a_kernel_without_vfio_is_not_told_to_load_it(host: Host) -> None:
    host.write("usr/lib/modules/6.12.9-amd64/modules.dep", "kernel/drivers/vfio/vfio.ko: ")
    host.remove("sys/module/vfio_iommu_type1")
    assert host.finding("Vfio").cure.startswith("start a kernel that has vfio_iommu_type1")


def test_of_a_missing_kvm_the_first_cause_is_told(host: Host) -> None:
    host.remove("dev/kvm")
    assert host.finding("Kvm").cure.startswith("udevadm trigger --name-match=kvm")
    host.remove("sys/module/kvm_intel")
    assert "modprobe --all kvm_intel" in host.finding("Kvm").cure
    host.write("proc/cpuinfo", "vendor_id\t: AuthenticAMD\nflags\t\t: fpu sse")
    assert host.finding("Kvm").cure.startswith("turn on SVM in the firmware's settings")
    assert host.complaints() == [("Kvm", Severity.ERROR)]


def test_a_kvm_that_is_there_and_does_not_open_is_an_error(host: Host) -> None:
    host.remove("dev/kvm")
    (host.root / "dev/kvm").mkdir()
    found = host.finding("Kvm")
    assert found.severity is Severity.ERROR
    assert found.what == "/dev/kvm: Is a directory; kvm_intel is loaded"


@pytest.mark.parametrize(
    ("release", "severity"),
    [("5.15.0-91-generic", Severity.ERROR), ("6.0.19", Severity.ERROR), ("6.1.0-18-amd64", Severity.OK),
     ("10.2", Severity.OK), ("mine", Severity.UNKNOWN)],
)  # fmt: skip
def test_the_oldest_kernel_is_6_1(host: Host, release: str, severity: Severity) -> None:
    host.write("proc/sys/kernel/osrelease", release)
    assert host.finding("Kernel").severity is severity


def test_unsigned_modules_matter_only_under_secure_boot(host: Host) -> None:
    host.write("sys/module/nvidia/taint", "POE")
    host.write("sys/module/i915/taint", "O")
    assert host.finding("SecureBoot").severity is Severity.OK
    (host.root / SECURE_BOOT).parent.mkdir(parents=True)
    (host.root / SECURE_BOOT).write_bytes(b"\x06\0\0\0\x01")
    found = host.finding("SecureBoot")
    assert found.severity is Severity.WARNING
    assert found.what == "Secure Boot: on; built out of the kernel's tree: i915, nvidia; unsigned: nvidia"
    host.write("sys/module/nvidia/taint", "PO")
    assert host.finding("SecureBoot").severity is Severity.OK


def test_huge_pages_are_told_for_each_numa_node(host: Host) -> None:
    assert host.finding("HugePages", "node1").what == "2Mi: 512 free of 1024"
    host.write(PAGES.format(1, "nr"), "0")
    found = host.finding("HugePages", "node1")
    assert found.severity is Severity.WARNING
    assert "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages" in found.cure
    assert host.finding("HugePages", "node0").severity is Severity.OK


def test_a_host_without_huge_pages_is_well_and_told_how_to_get_some(host: Host) -> None:
    for node in (0, 1):
        host.write(PAGES.format(node, "nr"), "0")
    found = host.finding("HugePages", "node0")
    assert found.severity is Severity.OK
    assert "prepare --hugepages 2Mi=N" in found.cure


def test_huge_pages_that_can_not_be_counted_are_unknown(host: Host) -> None:
    host.remove(PAGES.format(0, "free"))
    host.write(PAGES.format(1, "free"), "many")
    assert host.complaints() == [("HugePages", Severity.UNKNOWN)] * 2


@pytest.mark.parametrize("said", ["-1", None])
def test_a_card_without_numa_node_is_told_only_on_hosts_of_several(tmp_path: Path, said: str | None) -> None:
    host = hosts.with_xe(tmp_path)
    if said:
        host.write(f"{PCI}/{hosts.ARC}/numa_node", said)
    else:
        host.remove(f"{PCI}/{hosts.ARC}/numa_node")
    found = host.finding("NumaNode")
    assert (found.subject, found.severity) == (hosts.ARC, Severity.WARNING)
    assert f"numa_node is {said or 'missing'}, and this host has 2 nodes" in found.what
    host.remove("sys/devices/system/node/node1")
    assert host.complaints() == []


@pytest.mark.parametrize(
    ("file", "policy", "setting"),
    [("cpu_manager_state", "static", "cpuManagerPolicy"), ("memory_manager_state", "Static", "memoryManagerPolicy")],
)
def test_kubelets_own_managers_and_cells_do_not_go_together(host: Host, file: str, policy: str, setting: str) -> None:
    assert host.finding("Cells").severity is Severity.OK
    host.write(f"var/lib/kubelet/{file}", json.dumps({"policyName": policy}))
    found = host.finding("Cells")
    assert found.severity is Severity.WARNING
    assert f"kubelet's {setting} is {policy}" in found.what
    assert f"remove /var/lib/kubelet/{file} and restart kubelet" in found.cure
    host.write(f"var/lib/kubelet/{file}", "half a fi")
    assert host.finding("Cells").severity is Severity.OK


def test_memlock_needs_the_hook_and_nothing_of_the_host(host: Host) -> None:
    assert "no limit of the host is needed" in host.finding("Memlock").what
    host.hook.unlink()
    assert host.finding("Memlock").severity is Severity.WARNING


def test_cgroup_v2_is_needed_with_its_controllers(host: Host) -> None:
    host.write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids")
    assert host.finding("Cgroup").severity is Severity.WARNING
    host.write("sys/fs/cgroup/cgroup.controllers", "cpu io memory pids")
    assert host.finding("Cgroup").what == "/sys/fs/cgroup/cgroup.controllers lacks cpuset, hugetlb"
    host.remove("sys/fs/cgroup/cgroup.controllers")
    found = host.finding("Cgroup")
    assert found.severity is Severity.ERROR
    assert "systemd.unified_cgroup_hierarchy=1" in found.cure


@pytest.mark.parametrize(
    ("kubelet", "severity"),
    [("v1.35.9", Severity.ERROR), ("v1.36.0-rc.1+build", Severity.OK), ("v1.40.0", Severity.OK),
     ("v2.0.0", Severity.OK), ("", Severity.UNKNOWN), ("devel", Severity.UNKNOWN)],
)  # fmt: skip
def test_kubelet_is_1_36_or_newer(host: Host, kubelet: str, severity: Severity) -> None:
    assert host.finding("Kubelet", node=NodeInfo(kubelet, "containerd://2.0.0")).severity is severity


@pytest.mark.parametrize(
    ("runtime", "severity"),
    [("containerd://1.7.27-k3s1", Severity.ERROR), ("containerd://2.0.0", Severity.OK),
     ("containerd://2.1.4+unknown", Severity.OK), ("cri-o://1.36.0", Severity.WARNING), ("", Severity.UNKNOWN)],
)  # fmt: skip
def test_containerd_is_2_or_newer(host: Host, runtime: str, severity: Severity) -> None:
    assert host.finding("Containerd", node=NodeInfo("v1.36.0", runtime)).severity is severity


def test_without_the_node_object_its_versions_are_unknown_and_nothing_fails(host: Host) -> None:
    unknown = {f.check for f in host.findings(node=None) if f.severity is not Severity.OK}
    assert unknown == {"Kubelet", "Containerd"}


def test_every_complaint_that_can_be_cured_names_a_cure(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.card(A2, "10de:25b6", "nouveau", numa="-1")
    host.card(hosts.UHD, "8086:5912", "i915")
    host.card(hosts.ARC, "8086:e211", "xe")
    complaints = [f for f in host.findings(None) if f.severity in (Severity.WARNING, Severity.ERROR)]
    assert len(complaints) >= 8
    assert [f.check for f in complaints if not f.cure] == []


def test_a_file_that_can_not_be_read_is_unknown_and_the_rest_is_examined(host: Host) -> None:
    host.remove("sys/fs/cgroup/cgroup.controllers")
    (host.root / "sys/fs/cgroup/cgroup.controllers").mkdir()
    assert host.complaints() == [("Cgroup", Severity.UNKNOWN), ("Readable", Severity.UNKNOWN)]
    assert host.finding("Readable").what == "not readable: /sys/fs/cgroup/cgroup.controllers"


@pytest.mark.parametrize("make", [hosts.with_nvidia, hosts.with_gvt, hosts.with_xe])
def test_no_file_that_is_missing_or_nonsense_makes_it_fail(make: Callable[[Path], Host], tmp_path: Path) -> None:
    host = make(tmp_path)
    files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file() and not path.is_symlink()]
    for path in files:
        whole = path.read_bytes()
        path.write_bytes(b"\xff\x00 nonsense '\n")
        assert len(host.findings()) >= 1, path
        path.unlink()
        assert len(host.findings()) >= 9, path
        path.write_bytes(whole)
    assert len(files) > 20


def test_a_folder_that_is_no_host_is_one_error(tmp_path: Path) -> None:
    [found] = Host(tmp_path).findings()
    assert (found.check, found.severity) == ("Readable", Severity.ERROR)
    assert "--root" in found.cure
