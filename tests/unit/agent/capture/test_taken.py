"""What is taken of a host, and what is left alone."""

import errno
import subprocess
import uuid
from collections.abc import Callable

import pytest
from libvf_agent.capture.look import capture
from libvf_agent.errors import CaptureError, CaptureTooBig
from libvf_api.capture import Capture

from tests.fakekernel.cards import mtty, nvidia
from tests.fakekernel.host import FakeHost
from tests.fakekernel.mdev import MediatedHost
from tests.fakekernel.nvidia import NvidiaHost
from tests.fakekernel.nvidia_models import l40s
from tests.fakekernel.situations import SITUATIONS
from tests.fakekernel.tree import File, Link
from tests.unit.agent.capture import hosts
from tests.unit.agent.capture.hosts import (
    ARC,
    FLEX,
    HOSTS,
    L40S,
    L40S_FULL,
    L40S_SOUND,
    L40S_VF,
    PCI,
    ROOT_PORT,
    SHARER,
)

SALT = uuid.UUID("00000000-0000-4000-8000-000000000001")
# reading these acts on the hardware, wakes it, waits for it, or tells whose it is
LEFT_ALONE = (
    "config", "rom", "vpd", "resource0", "resource0_wc", "resource0_resize", "current_link_speed", "max_link_width",
    "unique_id", "serial_number", "product_name", "uevent", "modalias", "nvidia/vm_name", "nvidia/uuid",
    "drm/card0/card0-DP-1/edid", "drm/card0/error", "i2c-7/eeprom", "pools", "power/wakeup_count", "label",
)  # fmt: skip


def take(host: FakeHost, card: str | None = None) -> Capture:
    return capture(host, SALT, card=card)


def functions(capture_: Capture) -> set[str]:
    """PCI functions of which the class was taken."""
    return {path.split("/")[-2] for path in capture_.files if path.endswith("/class")}


def bomb() -> str:
    raise AssertionError("it was opened")


def test_a_card_comes_with_its_slot_its_group_its_functions_and_the_bridges_above() -> None:
    found = take(hosts.with_nvidia_vfio())
    assert functions(found) == {
        L40S, L40S_SOUND, L40S_VF, L40S_FULL, SHARER, "0000:64:00.0", "0000:64:01.0",
    }  # fmt: skip


def test_of_a_bridge_only_what_it_is_is_taken() -> None:
    found = take(hosts.with_nvidia_vfio())
    assert {path.rpartition("/")[2] for path in found.files if path.rpartition("/")[0] == ROOT_PORT} == {
        "class",
        "vendor",
        "device",
    }


def test_functions_that_have_nothing_to_do_with_a_card_are_left_alone() -> None:
    found = take(hosts.with_xe())
    assert "0000:03:00.0" in functions(found)
    assert hosts.NETWORK not in functions(found)
    assert not any(hosts.NETWORK in path for path in (*found.files, *found.manifest.links))


def test_accelerators_are_cards_too() -> None:
    assert hosts.ACCELERATOR in functions(take(hosts.with_i915()))


def test_bar_sizes_drivers_groups_and_virtual_functions_are_taken() -> None:
    found = take(hosts.with_nvidia_vfio())
    home = f"{ROOT_PORT}/{L40S}"
    assert found.files[f"{home}/resource"].startswith("0x00000000b4000000 0x00000000b4ffffff")
    assert found.manifest.links[f"{home}/iommu_group"] == "sys/kernel/iommu_groups/40"
    assert found.manifest.links[f"{home}/virtfn1"] == f"{ROOT_PORT}/{L40S_FULL}"
    assert found.manifest.links[f"{ROOT_PORT}/{L40S_VF}/physfn"] == home
    assert found.manifest.links[f"{ROOT_PORT}/{L40S_VF}/driver"] == "sys/bus/pci/drivers/nvidia"
    assert {path for path in found.manifest.links if path.startswith("sys/kernel/iommu_groups/40/")} == {
        f"sys/kernel/iommu_groups/40/devices/{name}" for name in (L40S, L40S_SOUND, SHARER)
    }
    assert f"{ROOT_PORT}/{L40S_FULL}/vfio-dev/vfio7" in found.manifest.folders


def test_nvidias_types_are_taken_and_what_does_not_exist_yet_has_its_errno() -> None:
    found = take(hosts.with_nvidia_vfio())
    free, full = (f"{ROOT_PORT}/{name}/nvidia" for name in (L40S_VF, L40S_FULL))
    assert "1148  : NVIDIA L40S-2Q" in found.files[f"{free}/creatable_vgpu_types"]
    assert found.files[f"{full}/current_vgpu_type"] == "1148\n"
    assert found.manifest.refused == {
        f"{free}/gpu_instance_id": "ENXIO",
        f"{free}/placement_id": "ENXIO",
        f"{free}/vgpu_params": "EIO",
        f"{full}/vgpu_params": "EIO",
    }


def asked_of(host: FakeHost, answer: Callable[[tuple[str, ...]], str]) -> list[str]:
    """The programs that a capture runs, where they say this."""
    asked: list[str] = []

    def tell(argv: tuple[str, ...]) -> str:
        asked.append(" ".join(argv))
        return answer(argv)

    host.answers = {"nvidia-smi": tell}
    take(host)
    return asked


def test_nvidias_tool_is_asked_what_the_agent_asks_and_of_cards_that_are_cut_alone() -> None:
    host = NvidiaHost()
    host.put(L40S, l40s())
    assert asked_of(host, host.answers["nvidia-smi"]) == [
        f"nvidia-smi vgpu -s -v -i {L40S}",
        f"nvidia-smi -q -i {L40S}",
    ]
    assert asked_of(SITUATIONS["nvidia"].host(), lambda argv: "") == []


def test_a_tool_that_has_no_types_is_not_asked_for_modes_and_one_that_fails_is_as_none() -> None:
    def fails(argv: tuple[str, ...]) -> str:
        raise OSError(errno.EIO, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver")

    def hangs(argv: tuple[str, ...]) -> str:
        raise subprocess.TimeoutExpired(argv, 30)

    for answer in (fails, hangs, lambda argv: "No supported vGPUs found\n"):
        host = NvidiaHost()
        host.put(L40S, l40s())
        assert asked_of(host, answer) == [f"nvidia-smi vgpu -s -v -i {L40S}"]
        assert take(host).manifest.programs == {}


def test_of_what_is_in_xes_memory_only_its_size_is_taken() -> None:
    found = take(SITUATIONS["xe"].host())
    texts = {text for path, text in found.files.items() if path.endswith("/vram_mm")}
    assert [line.split()[0] for text in texts for line in text.splitlines()] == ["size:"]


def test_profiles_of_xe_are_taken_and_files_for_writing_are_named() -> None:
    found = take(hosts.with_xe())
    admin = f"sys/devices/pci0000:00/0000:00:06.0/{ARC}/sriov_admin"
    assert found.files[f"{admin}/vf1/profile/vram_quota"] == f"{4 << 30}\n"
    assert found.files[f"{admin}/pf/profile/sched_priority"] == "[low] normal high\n"
    assert found.manifest.refused[f"{admin}/vf2/profile/preempt_timeout_us"] == "EUCLEAN"
    assert {f"{admin}/vf1/stop", f"{admin}/.bulk_profile/vram_quota"} <= set(found.manifest.write_only)
    assert found.manifest.links[f"{admin}/vf1/device"].endswith(hosts.ARC_VF)


def test_quotas_of_the_other_i915_are_taken() -> None:
    found = take(hosts.with_i915())
    iov = f"sys/devices/pci0000:4a/0000:4a:02.0/{FLEX}/drm/card1/prelim_iov"
    assert found.files[f"{iov}/pf/auto_provisioning"] == "1\n"
    assert found.files[f"{iov}/vf1/gt0/lmem_quota"] == "0\n"


def test_mediated_devices_come_with_their_parents_virtual_ones_too() -> None:
    host = MediatedHost(mtty(), nvidia(vfs=2))
    device = host.mdev.make("mtty", "mtty-2")
    found = take(host)
    home = "sys/devices/virtual/mtty/mtty"
    assert found.files[f"{home}/mdev_supported_types/mtty-2/available_instances"] == "11\n"
    assert f"{home}/mdev_supported_types/mtty-2/create" in found.manifest.write_only
    [name] = [path.rpartition("/")[2] for path in found.manifest.links if path.startswith("sys/bus/mdev/devices/")]
    assert name != device
    assert found.manifest.links[f"{home}/{name}/mdev_type"] == f"{home}/mdev_supported_types/mtty-2"
    assert f"{home}/{name}/remove" in found.manifest.write_only


def test_the_kernel_its_words_modules_and_memory_are_taken() -> None:
    found = take(hosts.with_nvidia_vfio())
    assert found.manifest.kernel == "6.19.0-amd64"
    assert found.files["proc/cmdline"] == "intel_iommu=on iommu=pt\n"
    assert found.files["sys/kernel/security/lockdown"] == "[none] integrity confidentiality\n"
    assert found.files["sys/devices/system/node/node1/meminfo"] == "Node 1 MemTotal:       66060288 kB\n"
    assert found.files["sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages"] == "512\n"
    assert found.files["sys/module/nvidia/version"] == "570.124.06\n"
    assert {path.split("/")[2] for path in found.files if path.startswith("sys/module/")} == {
        "nvidia", "vfio", "vfio_pci", "snd_hda_intel",
    }, "those that matter, and the drivers of what was taken"  # fmt: skip


@pytest.mark.parametrize("make", HOSTS.values(), ids=HOSTS)
def test_nothing_is_opened_that_is_not_on_the_list(make: Callable[[], FakeHost]) -> None:
    host = make()
    before = take(host)
    homes = [host.real(f"{PCI}/{name}") for name in host.names(PCI)]
    for home in homes:
        for name in LEFT_ALONE:
            host.tree.put(f"{home}/{name}", File(read=bomb))
    for path in ("sys/class/dmi/id/product_uuid", "proc/sys/kernel/random/boot_id", "etc/machine-id", "proc/kmsg"):
        host.tree.put(path, File(read=bomb))
    found = take(host)
    assert found.files == before.files
    assert found.manifest.links == before.manifest.links


@pytest.mark.parametrize("make", HOSTS.values(), ids=HOSTS)
def test_what_is_for_writing_is_not_opened_and_nothing_is_written(make: Callable[[], FakeHost]) -> None:
    def refuse() -> None:
        raise AssertionError("it was written")

    host = make()
    for path in take(host).manifest.write_only:
        host.tree.put(path, File(read=bomb))
    host.around = refuse
    take(host)


def test_one_card_alone_is_taken_with_its_company_and_without_others() -> None:
    host = MediatedHost(mtty(), nvidia(vfs=2))
    host.tree.put(f"{PCI}/{L40S}", Link(host.real("sys/class/mdev_bus/0000:65:00.4/physfn")))
    alone = take(host, "65:00.0")
    assert any("mdev_supported_types/nvidia-700" in path for path in take(host).files)
    assert not any("mtty" in path for path in (*alone.files, *alone.manifest.links))
    with pytest.raises(CaptureError, match=r"there is no PCI function 0000:99:00\.0 on this host: lspci -D lists them"):
        take(host, "0000:99:00.0")


def test_a_virtual_function_alone_comes_with_its_card_and_its_sisters() -> None:
    found = take(hosts.with_nvidia_vfio(), L40S_VF)
    assert {L40S, L40S_VF, L40S_FULL} <= functions(found)
    assert ARC not in functions(found)


def test_a_host_with_more_than_an_archive_takes_is_told_the_cure() -> None:
    host = hosts.with_xe()
    for number in range(200):
        path = f"sys/devices/virtual/mtty/mtty{number}"
        host.tree.put(f"sys/class/mdev_bus/mtty{number}", Link(path))
        host.tree.text(f"{path}/mdev_supported_types/mtty-1/description", "x" * (48 << 10))
    with pytest.raises(CaptureTooBig, match="capture the card alone that this is about, --card"):
        take(host)
    assert ARC in functions(take(host, ARC)), "and the cure is one"
