"""What is planned for a host, by how it boots, whose CPU and which GPUs it has."""

import re

import pytest
from libvf_agent.errors import PreparationError, UnknownLayout
from libvf_agent.preparation.wishes import HugePages, Wishes

from tests.unit.agent.preparation.conftest import Make
from tests.unit.agent.preparation.hosts import INTEL_ARC, INTEL_UHD, LAYOUT, NVIDIA_A2, VERSION, Host
from tests.unit.agent.preparation.preparing import planned, told

WORDS = {"intel": "intel_iommu=on iommu=pt", "amd": "iommu=pt"}
KVM = {"intel": "kvm_intel", "amd": "kvm_amd"}

# where the words go and what is made anew
COMMAND_LINES = {
    "debian": (["/etc/default/grub (GRUB_CMDLINE_LINUX_DEFAULT)"], ["update-grub"]),
    "ubuntu-cloud": (["/etc/default/grub.d/60-more.cfg (GRUB_CMDLINE_LINUX_DEFAULT)"], ["update-grub"]),
    "pop": (["/etc/kernelstub/configuration"], ["kernelstub"]),
    "arch-grub": (
        ["/etc/default/grub (GRUB_CMDLINE_LINUX_DEFAULT)"],
        ["grub-mkconfig -o /boot/grub/grub.cfg"],
    ),
    "arch-systemd-boot": (["/boot/loader/entries/arch.conf", "/boot/loader/entries/lts.conf"], []),
    "arch-unified-image": (["/etc/kernel/cmdline"], ["mkinitcpio -P"]),
    "fedora": (
        [
            "/boot/loader/entries/0123-0-rescue.conf",
            "/boot/loader/entries/0123-6.12.conf",
            "/etc/kernel/cmdline",
            "/etc/default/grub (GRUB_CMDLINE_LINUX)",
        ],
        ["grub2-mkconfig -o /boot/grub2/grub.cfg"],
    ),
    "opensuse": (
        ["/etc/default/grub (GRUB_CMDLINE_LINUX_DEFAULT)"],
        ["grub2-mkconfig -o /boot/grub2/grub.cfg"],
    ),
}
INITRAMFS = {
    "debian": "update-initramfs -u -k all",
    "ubuntu-cloud": "update-initramfs -u -k all",
    "pop": "update-initramfs -u -k all",
    "arch-grub": "mkinitcpio -P",
    "arch-systemd-boot": "mkinitcpio -P",
    "arch-unified-image": "mkinitcpio -P",
    "fedora": "dracut -f --regenerate-all",
    "opensuse": "dracut -f --regenerate-all",
}


def remakes(host: Host) -> list[str]:
    return [" ".join(remake.argv) for remake in planned(host).remakes]


@pytest.mark.parametrize("cpu", WORDS)
@pytest.mark.parametrize("layout", LAYOUT)
def test_a_fresh_host_gets_words_modules_and_nothing_else(host: Make, layout: str, cpu: str) -> None:
    files, programs = COMMAND_LINES[layout]
    assert told(planned(host(layout, cpu))) == [
        *((f"add {WORDS[cpu]}", file) for file in files),
        (f"write 'vfio vfio_iommu_type1 vfio_pci {KVM[cpu]} mdev'", "/etc/modules-load.d/libvf.conf"),
        *((f"run {program}", f"{where(program)}") for program in programs),
    ]


def where(program: str) -> str:
    menus = {
        "update-grub": "/boot/grub/grub.cfg",
        "kernelstub": "the EFI system partition",
        "mkinitcpio -P": "EFI/Linux",
    }
    return menus.get(program) or program.rpartition(" ")[2]


@pytest.mark.parametrize("layout", LAYOUT)
def test_with_an_nvidia_card_nouveau_is_kept_off_and_out_of_the_initramfs(host: Make, layout: str) -> None:
    some = host(layout, cards=(NVIDIA_A2,))
    assert ("write 'blacklist nouveau options nouveau modeset=0'", "/etc/modprobe.d/libvf.conf") in told(planned(some))
    assert INITRAMFS[layout] in remakes(some)


def test_an_initramfs_made_by_two_steps_is_made_once(host: Make) -> None:
    assert remakes(host("arch-unified-image", cards=(NVIDIA_A2,))) == ["mkinitcpio -P"]


def test_nouveau_that_somebody_else_keeps_off_is_left_alone(host: Make) -> None:
    some = host("debian", cards=(NVIDIA_A2,))
    some.write("usr/lib/modprobe.d/nvidia.conf", "  blacklist  nouveau\n")
    assert all("modprobe" not in place for _, place in told(planned(some)))
    assert remakes(some) == ["update-grub"]


def test_every_step_says_why(host: Make) -> None:
    some = host("debian", cards=(NVIDIA_A2, INTEL_UHD), etc__group="root:x:0:\n")
    todo = planned(some, Wishes(gvt=True, hugepages=(HugePages("2M", 8),), users=("ada",)))
    assert len(todo.steps) == 5
    assert all(len(step.why) > 20 for step in todo.steps)


def test_the_words_of_a_running_kernel_are_not_those_of_the_next(host: Make) -> None:
    some = host("debian", proc__cmdline="root=UUID=1 intel_iommu=on iommu=pt\n")
    todo = planned(some)
    assert ("add intel_iommu=on iommu=pt", "/etc/default/grub (GRUB_CMDLINE_LINUX_DEFAULT)") in told(todo)
    assert not any("started without" in reason for reason in todo.reboot)


def test_words_in_the_variable_for_every_start_count_too(host: Make) -> None:
    some = host("debian")
    some.replace("etc/default/grub", 'GRUB_CMDLINE_LINUX=""', 'GRUB_CMDLINE_LINUX="iommu=pt intel_iommu=on"')
    assert all("grub" not in place for _, place in told(planned(some)))


def test_a_word_that_says_the_contrary_is_taken_out_where_it_stands(host: Make) -> None:
    some = host("debian")
    some.replace("etc/default/grub", 'GRUB_CMDLINE_LINUX=""', 'GRUB_CMDLINE_LINUX="intel_iommu=off"')
    what, place = told(planned(some))[0]
    assert what == "take out intel_iommu=off, add intel_iommu=on iommu=pt"
    assert place == "/etc/default/grub (GRUB_CMDLINE_LINUX, GRUB_CMDLINE_LINUX_DEFAULT)"
    assert "intel_iommu=off says the contrary" in planned(some).steps[0].why


def test_gvt_is_for_gpus_that_it_knows(host: Make) -> None:
    some = host("debian", cards=(INTEL_UHD,))
    what = [what for what, _ in told(planned(some, Wishes(gvt=True)))]
    assert what[0] == "add intel_iommu=on iommu=pt i915.enable_gvt=1"
    assert what[1] == "write 'vfio vfio_iommu_type1 vfio_pci kvm_intel mdev kvmgt'"


def test_gvt_on_another_gpu_is_refused_and_the_gpus_are_named(host: Make) -> None:
    with pytest.raises(PreparationError, match=r"--gvt: no GPU .*\(0000:00:00.0 \(8086:56a0\)\): leave out --gvt"):
        planned(host("debian", cards=(INTEL_ARC,)), Wishes(gvt=True))


def test_gvt_on_a_kernel_without_it_is_refused(host: Make) -> None:
    some = host("debian", cards=(INTEL_UHD,))
    some.replace(f"usr/lib/modules/{VERSION}/modules.dep", "kvmgt", "other")
    with pytest.raises(PreparationError, match=rf"Linux {VERSION} has no module kvmgt"):
        planned(some, Wishes(gvt=True))


def test_virtual_functions_of_xe_need_an_intel_gpu(host: Make) -> None:
    what, _ = told(planned(host("debian", cards=(INTEL_ARC,)), Wishes(xe_max_vfs=7)))[0]
    assert what == "add intel_iommu=on iommu=pt xe.max_vfs=7"


def test_virtual_functions_of_xe_without_an_intel_gpu_are_refused(host: Make) -> None:
    with pytest.raises(PreparationError, match="no Intel GPU is here"):
        planned(host("debian", cards=(NVIDIA_A2,)), Wishes(xe_max_vfs=7))


def test_huge_pages_come_with_their_size_and_a_default(host: Make) -> None:
    wishes = Wishes(hugepages=(HugePages("1G", 8), HugePages("2M", 512)))
    what, _ = told(planned(host("debian", "amd"), wishes))[0]
    assert what == ("add iommu=pt default_hugepagesz=1G hugepagesz=1G hugepages=8 hugepagesz=2M hugepages=512")


def test_a_kernel_that_has_no_mdev_module_is_not_asked_for_it(host: Make) -> None:
    some = host("debian")
    some.replace(f"usr/lib/modules/{VERSION}/modules.dep", "mdev.ko", "other.ko")
    assert ("write 'vfio vfio_iommu_type1 vfio_pci kvm_intel'", "/etc/modules-load.d/libvf.conf") in told(planned(some))


def test_a_cpu_without_virtualisation_is_not_asked_for_kvm_which_no_reboot_could_load(host: Make) -> None:
    plain = "processor : 0\nvendor_id : GenuineIntel\nflags : fpu sse\n"
    todo = planned(host("debian", proc__cpuinfo=plain))
    assert ("write 'vfio vfio_iommu_type1 vfio_pci mdev'", "/etc/modules-load.d/libvf.conf") in told(todo)
    assert not any("kvm_intel" in reason for reason in todo.reboot)


def test_modules_that_somebody_else_loads_are_not_listed_again(host: Make) -> None:
    some = host("debian", etc__modules="# mine\nvfio\nvfio-pci\n")
    assert ("write 'vfio_iommu_type1 kvm_intel mdev'", "/etc/modules-load.d/libvf.conf") in told(planned(some))


def test_a_missing_group_is_made_and_members_are_added(host: Make) -> None:
    some = host("debian", etc__group="root:x:0:\n")
    steps = told(planned(some, Wishes(users=("ada", "bob"))))
    assert [what for what, place in steps if place == "/etc/group"] == [
        "run groupadd --system kvm",
        "run gpasswd --add ada kvm",
        "run gpasswd --add bob kvm",
    ]


def test_a_member_is_not_added_again_and_a_longer_name_is_another(host: Make) -> None:
    some = host("debian", etc__group="kvm:x:104:bob,ada\n")
    steps = told(planned(some, Wishes(users=("ada", "bo"))))
    assert [what for what, place in steps if place == "/etc/group"] == ["run gpasswd --add bo kvm"]


@pytest.mark.parametrize(
    "rule",
    [
        'KERNEL=="kvm", GROUP="kvm", MODE="0666", OPTIONS+="static_node=kvm"\n',
        'KERNEL=="kvm", MODE="0660"\n',
        '# KERNEL=="kvm", GROUP="kvm", MODE="0660"\n',
    ],
)
def test_kvm_for_everybody_or_for_nobody_gets_a_rule(host: Make, rule: str) -> None:
    some = host("debian")
    some.write("usr/lib/udev/rules.d/50-udev-default.rules", rule)
    assert (
        'write \'KERNEL=="kvm", GROUP="kvm", MODE="0660"\'',
        "/etc/udev/rules.d/65-libvf-kvm.rules",
    ) in told(planned(some))
    assert "udevadm control --reload" in remakes(some)


def test_a_later_rule_and_one_of_the_same_name_in_etc_win(host: Make) -> None:
    some = host("debian")
    some.write("etc/udev/rules.d/50-udev-default.rules", 'KERNEL=="kvm", GROUP="kvm", MODE="0666"\n')
    some.write("etc/udev/rules.d/90-mine.rules", 'KERNEL=="kvm", MODE="0660"\n')
    assert all("udev" not in place for _, place in told(planned(some)))


@pytest.mark.parametrize("layout", LAYOUT)
def test_no_udev_rule_is_made_for_vfio(host: Make, layout: str) -> None:
    todo = planned(host(layout))
    assert all("udev" not in place for _, place in told(todo))
    assert any("/dev/vfio/* stays root's" in advice.found for advice in todo.advice)


def test_without_a_known_initramfs_tool_an_nvidia_host_is_refused(host: Make) -> None:
    some = host("debian", cards=(NVIDIA_A2,))
    (some.root / "usr/sbin/update-initramfs").unlink()
    with pytest.raises(UnknownLayout, match="none of update-initramfs, mkinitcpio, dracut"):
        planned(some)


def test_a_folder_that_is_no_host_is_refused(host: Make) -> None:
    some = host("debian")
    (some.root / "etc/os-release").unlink()
    with pytest.raises(PreparationError, match="is --root the root folder of a host"):
        planned(some)


def test_a_cpu_of_neither_maker_gets_no_words_and_is_told(host: Make) -> None:
    some = host("debian", proc__cpuinfo="processor : 0\nCPU implementer : 0x41\n")
    todo = planned(some)
    assert [what for what, _ in told(todo)] == ["write 'vfio vfio_iommu_type1 vfio_pci mdev'"]
    assert any(advice.title == "CPU" and "neither Intel nor AMD" in advice.found for advice in todo.advice)


def test_a_reboot_is_needed_for_words_that_the_running_kernel_lacks_and_for_nouveau(host: Make) -> None:
    some = host("debian", cards=(NVIDIA_A2,), **{"sys/module/nouveau/refcnt": "1\n"})
    reasons = "; ".join(planned(some).reboot)
    assert "without intel_iommu=on iommu=pt" in reasons
    assert "nouveau is loaded" in reasons
    assert re.search(r"not loaded yet: vfio, .*kvm_intel", reasons)


def test_no_reboot_is_needed_where_all_is_so(host: Make) -> None:
    loaded = {
        f"sys/module/{name}/refcnt": "0\n" for name in ("vfio", "vfio_pci", "vfio_iommu_type1", "kvm_amd", "mdev")
    }
    assert planned(host("debian", "amd", proc__cmdline="iommu=pt\n", **loaded)).reboot == ()
