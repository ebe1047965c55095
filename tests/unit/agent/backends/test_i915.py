"""Intel's i915 built out of tree (`prelim_iov`, or i915-sriov-dkms): equal functions, shared out by the driver."""

from __future__ import annotations

from pathlib import Path

from libvf_agent.rules import careful

from tests.fakekernel.pci import ROOT, Function, PciHost
from tests.fakekernel.situations import rules
from tests.unit.agent.claiming import Claiming

IGPU = "0000:00:02.0"
AUTO = f"{ROOT}/{IGPU}/drm/card0/prelim_iov/pf/auto_provisioning"


def machine(folder: Path, auto: str | None) -> Claiming:
    """A Flex or integrated card; `auto` is what its tree says of sharing out, None for drivers without that tree."""
    card = Function(IGPU, "8086:4680", "030000", native="i915", boot_vga=True, total_vfs=7, vf_native="i915")
    kernel = PciHost(card)
    if auto is not None:
        kernel.tree.text(AUTO, auto)
    return Claiming(kernel, folder, rules(functions=4), IGPU)


def functions(bed: Claiming) -> list[str]:
    assert isinstance(bed.kernel, PciHost)
    return bed.kernel.pci.functions[IGPU].vfs


def test_functions_are_made_and_the_driver_shares_out(tmp_path: Path) -> None:
    for auto in ("1", None):
        bed = machine(tmp_path / str(auto), auto)
        assert bed.names() == ["vf-0", "vf-1", "vf-2", "vf-3"]
        bed.prepare("a", "vf-0")
        assert len(functions(bed)) == 4
        bed.release("a")
        assert functions(bed) == []


def test_none_are_made_where_somebody_has_taken_the_sharing_out_into_his_own_hands(tmp_path: Path) -> None:
    assert machine(tmp_path, "0").names() == []


def test_those_that_he_has_made_are_offered_as_they_are(tmp_path: Path) -> None:
    bed = machine(tmp_path, "0")
    bed.kernel.write(f"sys/bus/pci/devices/{IGPU}/sriov_drivers_autoprobe", "0")
    bed.kernel.write(f"sys/bus/pci/devices/{IGPU}/sriov_numvfs", "2")
    for of in (rules(functions=4), careful):
        bed.rules(of)
        assert bed.names() == ["vf-0", "vf-1"]
