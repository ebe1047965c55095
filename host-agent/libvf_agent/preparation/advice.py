"""What a person must do or know: checked and told here, never done.

NVIDIA's host driver comes under a licence that lets nobody else ship it, and Secure Boot is a promise the owner of
the host made; both stay in the owner's hands.
"""

from __future__ import annotations

from dataclasses import dataclass

from libvf_agent.preparation import modules
from libvf_agent.preparation.facts import NVIDIA, Cpu, Facts, SecureBoot
from libvf_agent.preparation.kvm import VFIO_NOTE

_VERSION = "sys/module/nvidia/version"
_KEY = "/root/module-signing"

_HEADERS = (
    (("debian", "ubuntu"), "apt install build-essential dkms linux-headers-$(uname -r)"),
    (("fedora", "rhel"), "dnf install gcc make dkms kernel-devel-$(uname -r)"),
    (("suse", "opensuse"), "zypper install gcc make dkms kernel-default-devel"),
    (("arch",), "pacman -S --needed base-devel dkms linux-headers"),
)


@dataclass(frozen=True, slots=True)
class Advice:
    """A heading, what was found, and the steps for a person."""

    title: str
    found: str
    steps: tuple[str, ...] = ()


def of(facts: Facts) -> tuple[Advice, ...]:
    """All that is to be told of this host."""
    told = (_virtualisation(facts), _vfio(facts), _secure_boot(facts), _nvidia(facts))
    return tuple(advice for advice in told if advice)


def _virtualisation(facts: Facts) -> Advice | None:
    if facts.cpu is Cpu.OTHER:
        return Advice("CPU", "neither Intel nor AMD: no word for its IOMMU is known here, and none is added")
    if facts.virtualisation:
        return None
    names = ("VT-x", "VT-d") if facts.cpu is Cpu.INTEL else ("SVM", "IOMMU (AMD-Vi)")
    return Advice(
        "CPU", "it shows no hardware virtualisation", (f"turn on {' and '.join(names)} in the firmware's settings",)
    )


def _vfio(facts: Facts) -> Advice:
    lacking = [name for name in ("vfio", "vfio_pci", "vfio_iommu_type1") if not facts.kernel.has(name)]
    if lacking:
        found = f"Linux {facts.kernel.version} has no {', '.join(lacking)}"
        return Advice(
            "VFIO", found, ("start a kernel built with CONFIG_VFIO, CONFIG_VFIO_PCI, CONFIG_VFIO_IOMMU_TYPE1",)
        )
    return Advice("VFIO", VFIO_NOTE)


def _secure_boot(facts: Facts) -> Advice | None:
    if facts.secure_boot is not SecureBoot.ON:
        return None
    return Advice(
        "Secure Boot",
        "on: the kernel takes only modules signed with a key it trusts. Those of the distribution are; modules built "
        "here or by a vendor (NVIDIA's, i915 with SR-IOV, AMD's GIM) are refused with 'Key was rejected by service' "
        "until you sign them with a key of your own that you enrol",
        (
            f"mkdir -m 700 {_KEY}",
            f"openssl req -new -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=module signing of this host/' "
            f"-outform DER -keyout {_KEY}/key -out {_KEY}/certificate.der",
            f"mokutil --import {_KEY}/certificate.der   (choose a password, it is asked for once)",
            "reboot; in the blue MOK manager: Enroll MOK, Continue, Yes, the password",
            "mokutil --list-enrolled   (shows the key)",
            f"sign each module after it is built: /lib/modules/$(uname -r)/build/scripts/sign-file sha256 {_KEY}/key "
            f"{_KEY}/certificate.der MODULE.ko   (dkms does so with mok_signing_key and mok_certificate in "
            "/etc/dkms/framework.conf)",
        ),
    )


def _nvidia(facts: Facts) -> Advice | None:
    cards = facts.cards_of(NVIDIA)
    if not cards:
        return None
    where = ", ".join(f"{card.told}, driver {card.driver or 'none'}" for card in cards)
    version = facts.seen.text(_VERSION).strip()
    if version and "nvidia-vgpud" in facts.seen.commands:
        found = f"{where}; NVIDIA's driver {version} with its vGPU manager runs"
        return Advice("NVIDIA", found, ("systemctl status nvidia-vgpud nvidia-vgpu-mgr   (both must run)",))
    found = f"{where}; " + (
        f"driver {version} runs, without the vGPU manager" if version else "NVIDIA's driver does not run"
    )
    found += ". Slices need NVIDIA's vGPU host driver, which nobody but NVIDIA may hand out; a whole card needs none"
    return Advice("NVIDIA", found, _driver_steps(facts, bool(version)))


def _driver_steps(facts: Facts, replaces: bool) -> tuple[str, ...]:
    headers = next(
        (line for kin, line in _HEADERS if facts.system.is_like(*kin)), "install a compiler and kernel headers"
    )
    signed = (
        f" --module-signing-secret-key={_KEY}/key --module-signing-public-key={_KEY}/certificate.der"
        if facts.secure_boot is SecureBoot.ON
        else ""
    )
    steps = [
        "get the Linux KVM host package of your vGPU release from NVIDIA's licensing portal, with your own entitlement",
        headers,
        *(["remove the driver that runs now, with the tool that installed it"] if replaces else []),
        *(["enrol a signing key first, as told under Secure Boot"] if signed else []),
        f"sh NVIDIA-Linux-x86_64-*-vgpu-kvm.run --dkms{signed}",
        "reboot, then: nvidia-smi; systemctl status nvidia-vgpud nvidia-vgpu-mgr",
    ]
    if not modules.keeps_nouveau_off(facts):
        steps.insert(
            2, "apply this plan and reboot first: nouveau must not hold the card while the driver is installed"
        )
    return tuple(steps)
