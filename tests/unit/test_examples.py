"""No example without a test that applies it and sees that it reaches the state it promises."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples"
APPLIED = {
    "cloud-init": "e2e/test_guest.py",
    "fallback": "e2e/test_screens.py",
    "headless": "e2e/test_screens.py",
    "install": "e2e/test_install.py",
    "keep": "e2e/test_install.py",
    "looking-glass": "e2e/test_screens.py",
    "never-evict": "e2e/test_nodes.py",
    "nic": "e2e/test_nics.py",
    "numa": "e2e/test_numa.py",
    "policy": "integration/test_policy.py",
    "ports": "e2e/test_network.py",
    "safe": "e2e/test_screens.py",
    "shared-folder": "e2e/test_firmware.py",
    "spice": "e2e/test_screens.py",
    # the nodes of a lab have no USB bus
    "usb": "integration/test_host_devices.py",
    "vm": "e2e/machines.py",
    # the emulator of a lab's node dies of OVMF in a guest: the same firmware runs under a QEMU of its own
    "uefi": "integration/test_guest_firmware.py",
    # needs Windows, which cannot be had here: the API server admits it, and QEMU's part of it runs
    "windows": "unit/launcher/test_command_line.py",
}


def test_each_example_is_applied_by_a_test() -> None:
    assert set(APPLIED) == {path.stem for path in EXAMPLES.glob("*.yaml")}


def test_the_test_named_for_an_example_is_about_it() -> None:
    silent = {name: test for name, test in APPLIED.items() if name not in (REPOSITORY / "tests" / test).read_text()}
    assert silent == {}
