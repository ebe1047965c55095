"""What a person is told: Secure Boot, NVIDIA's driver, virtualisation."""

from libvf_agent.preparation.advice import Advice

from tests.unit.agent.preparation.conftest import Make
from tests.unit.agent.preparation.hosts import NVIDIA_A2, VERSION, Host
from tests.unit.agent.preparation.preparing import planned

SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def about(host: Host, title: str) -> Advice | None:
    return next((advice for advice in planned(host).advice if advice.title == title), None)


def secure_boot(host: Host, value: int) -> Host:
    path = host.root / SECURE_BOOT
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x06\x00\x00\x00" + bytes([value]))
    return host


def test_secure_boot_is_told_with_the_steps_of_a_key_of_ones_own(host: Make) -> None:
    advice = about(secure_boot(host("debian"), 1), "Secure Boot")
    assert advice is not None
    assert "Key was rejected by service" in advice.found
    steps = "\n".join(advice.steps)
    for piece in ("openssl req -new -x509", "mokutil --import", "Enroll MOK", "sign-file sha256"):
        assert piece in steps


def test_secure_boot_that_is_off_or_not_there_is_not_told(host: Make) -> None:
    some = host("debian")
    assert about(some, "Secure Boot") is None
    assert about(secure_boot(some, 0), "Secure Boot") is None


def test_nothing_planned_touches_secure_boot_or_nvidias_driver(host: Make) -> None:
    todo = planned(secure_boot(host("debian", cards=(NVIDIA_A2,)), 1))
    steps = "\n".join(step.what for step in (*todo.steps, *todo.remakes))
    assert not any(word in steps for word in ("mokutil", "openssl", "NVIDIA", "apt", "sign"))


def test_a_host_without_nvidia_cards_hears_nothing_of_its_driver(host: Make) -> None:
    assert about(host("debian"), "NVIDIA") is None


def test_a_card_without_a_driver_gets_the_steps_of_this_distribution(host: Make) -> None:
    advice = about(host("fedora", cards=(NVIDIA_A2,)), "NVIDIA")
    assert advice is not None
    assert "0000:00:00.0 (10de:25b6), driver none" in advice.found
    assert any(step.startswith("dnf install") for step in advice.steps)
    assert any("licensing portal" in step for step in advice.steps)
    assert not any("module-signing-secret-key" in step for step in advice.steps)


def test_under_secure_boot_the_driver_is_installed_signed(host: Make) -> None:
    advice = about(secure_boot(host("debian", cards=(NVIDIA_A2,)), 1), "NVIDIA")
    assert advice is not None
    assert any("--module-signing-secret-key=" in step for step in advice.steps)


def test_a_driver_without_the_vgpu_manager_is_told_from_one_with_it(host: Make) -> None:
    some = host("debian", cards=(NVIDIA_A2,), **{"sys/module/nvidia/version": "550.54.16\n"})
    advice = about(some, "NVIDIA")
    assert advice is not None
    assert "driver 550.54.16 runs, without the vGPU manager" in advice.found
    some.write("usr/bin/nvidia-vgpud", "")
    advice = about(some, "NVIDIA")
    assert advice is not None
    assert "550.54.16 with its vGPU manager runs" in advice.found


def test_virtualisation_that_is_off_in_the_firmware_is_told(host: Make) -> None:
    some = host("debian", "amd")
    some.replace("proc/cpuinfo", " svm", "")
    advice = about(some, "CPU")
    assert advice is not None
    assert "turn on SVM" in advice.steps[0]


def test_a_kernel_without_vfio_is_told(host: Make) -> None:
    some = host("debian")
    some.replace(f"usr/lib/modules/{VERSION}/modules.dep", "vfio-pci.ko", "other.ko")
    advice = about(some, "VFIO")
    assert advice is not None
    assert advice.found == f"Linux {VERSION} has no vfio_pci"
