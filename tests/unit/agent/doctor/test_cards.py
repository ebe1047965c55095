"""What the doctor says of cards."""

from pathlib import Path

import pytest
from libvf_api.host import Severity

from tests.unit.agent.doctor import hosts
from tests.unit.agent.doctor.hosts import A2, ARC, PCI, UHD, VF, Host


@pytest.fixture
def nvidia(tmp_path: Path) -> Host:
    return hosts.with_nvidia(tmp_path)


@pytest.fixture
def gvt(tmp_path: Path) -> Host:
    return hosts.with_gvt(tmp_path)


@pytest.fixture
def xe(tmp_path: Path) -> Host:
    return hosts.with_xe(tmp_path)


def test_an_nvidia_card_tells_its_driver_and_how_it_is_cut(nvidia: Host) -> None:
    assert nvidia.finding("GpuDriver").what == f"{A2} (10de:25b6): driver nvidia 550.144.02"
    assert nvidia.finding("NvidiaSlices").what == "mediated devices, 1 parents in /sys/class/mdev_bus"


def test_a_virtual_function_is_a_part_of_its_card_and_not_examined_by_itself(nvidia: Host) -> None:
    assert VF not in {finding.subject for finding in nvidia.findings()}


def test_a_card_that_is_its_own_parent_is_cut_too(nvidia: Host) -> None:
    nvidia.remove(f"sys/class/mdev_bus/{VF}")
    assert nvidia.finding("NvidiaSlices").severity is Severity.ERROR
    nvidia.mdev_type(A2, "nvidia-63", hosts.TYPES, 4)
    assert nvidia.finding("NvidiaSlices").severity is Severity.OK


def test_nvidias_own_vfio_is_known_by_the_folder_in_the_function(nvidia: Host) -> None:
    nvidia.remove("sys/class/mdev_bus")
    nvidia.write(f"{PCI}/{VF}/nvidia/current_vgpu_type", "0")
    assert nvidia.finding("NvidiaSlices").what == "NVIDIA's own VFIO, 1 functions with a folder nvidia"
    assert nvidia.complaints() == []


def test_nouveau_is_an_error_that_prepare_cures(nvidia: Host) -> None:
    nvidia.bind(A2, "nouveau")
    found = nvidia.finding("GpuDriver")
    assert found.severity is Severity.ERROR
    assert found.cure == "python3 -m libvf_agent prepare --yes, then reboot"


def test_a_card_without_driver_can_be_handed_out_whole(nvidia: Host) -> None:
    nvidia.remove(f"{PCI}/{A2}/driver")
    found = nvidia.finding("GpuDriver")
    assert (found.severity, found.cure.split(" ")[0]) == (Severity.WARNING, "dmesg")
    nvidia.remove("sys/module/nvidia")
    found = nvidia.finding("GpuDriver")
    assert found.severity is Severity.WARNING
    assert found.cure.startswith("python3 -m libvf_agent prepare")
    nvidia.bind(A2, "vfio-pci")
    assert nvidia.finding("GpuDriver").severity is Severity.OK


def test_the_vgpu_manager_must_run(nvidia: Host) -> None:
    nvidia.remove("proc/701")
    found = nvidia.finding("NvidiaServices")
    assert found.severity is Severity.ERROR
    assert found.cure.startswith("systemctl enable --now nvidia-vgpu-mgr;")


def test_nvidia_vgpud_may_end_once_the_types_are_there(nvidia: Host) -> None:
    nvidia.remove("proc/700")
    assert nvidia.complaints() == []
    nvidia.remove("sys/class/mdev_bus")
    assert nvidia.finding("NvidiaServices").severity is Severity.ERROR


def test_a_desktop_driver_is_told_apart_from_the_vgpu_host_driver(nvidia: Host) -> None:
    for path in ("sys/class/mdev_bus", "sys/module/nvidia_vgpu_vfio", "proc/700", "proc/701"):
        nvidia.remove(path)
    assert nvidia.complaints() == [("NvidiaSlices", Severity.WARNING)]
    assert "without the vGPU manager" in nvidia.finding("NvidiaSlices").what


def test_a_card_whose_virtual_functions_are_not_made_is_told_how(nvidia: Host) -> None:
    nvidia.remove("sys/class/mdev_bus")
    nvidia.write(f"{PCI}/{A2}/sriov_numvfs", "0")
    found = nvidia.finding("NvidiaSlices")
    assert found.severity is Severity.ERROR
    assert found.cure.startswith(f"/usr/lib/nvidia/sriov-manage -e {A2}")


def test_a_driver_that_does_not_tell_its_version_is_still_a_driver(nvidia: Host) -> None:
    nvidia.remove("sys/module/nvidia/version")
    assert nvidia.finding("GpuDriver").severity is Severity.OK
    assert "unknown version" in nvidia.finding("GpuDriver").what


@pytest.mark.parametrize(
    ("parameter", "module", "lacks"),
    [("N", True, "i915.enable_gvt is N"), ("Y", False, "kvmgt is not loaded"),
     (None, False, "i915 shows no parameter enable_gvt, kvmgt is not loaded")],
)  # fmt: skip
def test_gvt_names_what_it_lacks(gvt: Host, parameter: str | None, module: bool, lacks: str) -> None:
    gvt.remove("sys/class/mdev_bus")
    if parameter is None:
        gvt.remove("sys/module/i915/parameters/enable_gvt")
    else:
        gvt.write("sys/module/i915/parameters/enable_gvt", parameter)
    if not module:
        gvt.remove("sys/module/kvmgt")
    found = gvt.finding("IntelGvt")
    assert (found.subject, found.severity) == (UHD, Severity.WARNING)
    assert found.what == f"not shared by GVT-g: {lacks}"
    assert found.cure == "python3 -m libvf_agent prepare --gvt --yes, then reboot"


def test_gvt_that_is_asked_for_and_did_not_start_is_not_asked_for_again(gvt: Host) -> None:
    gvt.remove("sys/class/mdev_bus")
    assert gvt.finding("IntelGvt").cure.startswith("dmesg")


def test_xe_without_virtual_functions_is_cured_where_the_driver_was_told_none(xe: Host) -> None:
    xe.write(f"{PCI}/{ARC}/sriov_totalvfs", "0")
    assert "firmware" in xe.finding("IntelXe").cure
    xe.write("sys/module/xe/parameters/max_vfs", "0")
    found = xe.finding("IntelXe")
    assert found.severity is Severity.WARNING
    assert "prepare --xe-max-vfs N --yes" in found.cure


def test_a_kernel_before_6_19_is_told_only_where_a_card_of_xe_is(xe: Host) -> None:
    xe.write("proc/sys/kernel/osrelease", "6.18.9")
    assert xe.complaints() == [("IntelXeKernel", Severity.WARNING)]
    xe.bind(ARC, "vfio-pci")
    assert xe.complaints() == []


def test_cards_of_others_are_named_and_not_judged(tmp_path: Path) -> None:
    host = hosts.bare(tmp_path)
    host.card("0000:01:00.0", "1234:1111", None, numa="-1")
    assert host.finding("GpuDriver").what == "0000:01:00.0 (1234:1111): driver none"
    assert host.complaints() == []


def test_an_amd_card_without_driver_is_told(tmp_path: Path) -> None:
    host = hosts.bare(tmp_path)
    host.card("0000:01:00.0", "1002:74a1", None)
    assert host.complaints() == [("GpuDriver", Severity.WARNING)]
    assert host.finding("GpuDriver").cure.startswith("modprobe amdgpu")
