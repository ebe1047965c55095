"""Whole cards: which may be given away, what goes with them, and that the host gets everything back."""

from __future__ import annotations

from pathlib import Path

import pytest
from libvf_agent.errors import Busy
from libvf_agent.gpus.listing import listed, text
from libvf_agent.rules import RulesOf, careful

from tests.fakekernel.pci import Function, PciHost
from tests.fakekernel.situations import PF, desktop, rules
from tests.unit.agent.claiming import Claiming

TAKEN = rules(take_from_host=True)
AUDIO, SCREEN = "0000:65:00.1", "0000:00:02.0"


def card(**given: object) -> Function:
    return Function(PF, **{"pci_id": "10de:2684", "class_code": "030000", **given})  # type: ignore[arg-type]


def machine(folder: Path, of: RulesOf, *functions: Function) -> Claiming:
    return Claiming(PciHost(*functions), folder, of)


def drivers(machine: Claiming) -> dict[str, str]:
    assert isinstance(machine.kernel, PciHost)
    return {address: function.driver for address, function in machine.kernel.pci.functions.items()}


def test_a_card_that_a_driver_of_the_host_has_is_not_offered_without_a_policy(tmp_path: Path) -> None:
    assert machine(tmp_path, careful, card(native="nouveau")).names() == []


def test_a_card_on_vfio_was_prepared_by_hand_and_is_offered(tmp_path: Path) -> None:
    bed = machine(tmp_path, careful, card(native="vfio-pci"))
    assert bed.names() == ["whole-0"]
    bed.prepare("a", "whole-0")
    bed.release("a")
    assert drivers(bed) == {PF: "vfio-pci"}


def test_a_card_that_no_driver_wants_is_offered(tmp_path: Path) -> None:
    bed = machine(tmp_path, careful, card())
    bed.prepare("a", "whole-0")
    assert drivers(bed) == {PF: "vfio-pci"}
    bed.release("a")
    assert drivers(bed) == {PF: ""}


def test_all_functions_of_the_slot_go_with_the_card_and_come_back_to_their_drivers(tmp_path: Path) -> None:
    bed = Claiming(desktop(), tmp_path, TAKEN)
    [facts] = bed.prepare("a", "whole-0")
    assert facts["pciFunctions"] == f"{PF} {AUDIO}"
    assert drivers(bed) == {PF: "vfio-pci", AUDIO: "vfio-pci", SCREEN: "i915"}
    bed.release("a")
    assert drivers(bed) == {PF: "nouveau", AUDIO: "snd_hda_intel", SCREEN: "i915"}


def test_functions_in_groups_of_their_own_bring_all_their_groups(tmp_path: Path) -> None:
    audio = Function(AUDIO, "10de:22ba", "040300", native="snd_hda_intel")
    [facts] = machine(tmp_path, TAKEN, card(native="nouveau"), audio).prepare("a", "whole-0")
    assert facts["iommuGroups"] == "0 1"


def test_the_card_that_drives_the_hosts_screen_is_kept(tmp_path: Path) -> None:
    screen = card(native="nouveau", boot_vga=True)
    assert machine(tmp_path, TAKEN, screen).names() == []
    told = rules(take_from_host=True, take_host_display=True)
    assert machine(tmp_path / "told", told, screen).names() == ["whole-0"]


def test_a_card_in_one_group_with_something_the_host_uses_is_not_offered(tmp_path: Path) -> None:
    disk = Function("0000:66:00.0", "144d:a808", "010802", native="nvme", with_=PF)
    assert machine(tmp_path, TAKEN, card(), disk).names() == []


def test_a_card_without_an_iommu_group_is_not_offered(tmp_path: Path) -> None:
    assert machine(tmp_path, TAKEN, card(isolated=False)).names() == []


def test_a_card_that_cannot_be_reset_is_tainted_unless_the_policy_allows_it(tmp_path: Path) -> None:
    assert machine(tmp_path, careful, card(reset=None)).taints("whole-0") == {"libvf.io/no-reset": "NoSchedule"}
    allowed = rules(reuse_without_reset=True)
    assert machine(tmp_path / "allowed", allowed, card(reset=None)).taints("whole-0") == {}


def test_a_card_that_a_process_works_with_is_full_and_not_taken_away(tmp_path: Path) -> None:
    bed = machine(tmp_path, TAKEN, card(native="nouveau"))
    bed.kernel.tree.text(f"sys/devices/pci0000:64/0000:64:00.0/{PF}/drm/renderD128/dev", "226:128")
    bed.kernel.open("/dev/dri/renderD128", command="Xorg")
    assert bed.counters() == {"card": 0}
    with pytest.raises(Busy, match=r"held open by Xorg \(pid 4711\)"):
        bed.prepare("a", "whole-0")
    assert drivers(bed) == {PF: "nouveau"}


def test_a_guest_that_still_has_the_card_keeps_it(tmp_path: Path) -> None:
    bed = machine(tmp_path, careful, card())
    bed.prepare("a", "whole-0")
    assert isinstance(bed.kernel, PciHost)
    bed.kernel.pci.open(PF)
    with pytest.raises(Busy, match="held open by qemu"):
        bed.release("a")
    bed.kernel.close()
    bed.release("a")
    assert drivers(bed) == {PF: ""}


def test_the_size_of_its_bars_is_told(tmp_path: Path) -> None:
    [facts] = machine(tmp_path, careful, card(bars=(16 << 20, 16 << 30))).prepare("a", "whole-0")
    assert facts["barBytes"] == (16 << 20) + (16 << 30)


def test_the_administrators_word_for_its_video_memory_is_published(tmp_path: Path) -> None:
    offered = machine(tmp_path, rules(vram=24 << 30), card()).devices()["whole-0"]
    assert offered["capacity"] == {"vram": {"value": "24Gi"}}


def test_after_a_reboot_what_an_old_claim_had_is_not_touched(tmp_path: Path) -> None:
    bed = machine(tmp_path, careful, card())
    bed.prepare("a", "whole-0")
    bed.kernel.reboot()
    bed.kernel.write(f"sys/bus/pci/devices/{PF}/driver_override", "vfio-pci")
    bed.kernel.write("sys/bus/pci/drivers_probe", PF)
    bed.release("a")
    assert drivers(bed) == {PF: "vfio-pci"}


def test_the_list_of_cards_says_why_nothing_new_comes_to_one(tmp_path: Path) -> None:
    bed = machine(tmp_path, careful, card(reset=None))
    found = listed([one.card.gpu for one in bed.seen() if one.card], (), ())
    [taint] = found.gpus[0].taints
    assert (taint.key, taint.type) == ("no-reset", "nvidia-whole")
    assert "reuseWithoutReset of a GpuPolicy" in taint.message
    assert text(found).splitlines()[-1] == f"  nothing new comes to nvidia-whole (no-reset): {taint.message}"
