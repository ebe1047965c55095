"""Whether guests run in hardware. Whether this host is itself a guest plays no part."""

from __future__ import annotations

from libvf_api.host import Finding, Severity

from libvf_agent.doctor.cures import prepare_now
from libvf_agent.doctor.facts import Facts
from libvf_agent.preparation.facts import Cpu

MODULES = ("kvm_intel", "kvm_amd")
_ELSE = "until then only machines with acceleration: Preferred start here, slowly"


def findings(facts: Facts) -> tuple[Finding, ...]:
    """One finding: of a CPU without virtualisation, a module not loaded and a node that is shut, the first cause."""
    loaded = [name for name in MODULES if facts.has_module(name)]
    if not facts.kvm_refusal:
        return (Finding("host", "Kvm", Severity.OK, f"/dev/kvm opens, {' and '.join(loaded) or 'kvm'} is loaded"),)
    what, cure = _cause(facts, loaded)
    told = f"/dev/kvm: {facts.kvm_refusal}; {what}"
    return (Finding("host", "Kvm", Severity.ERROR, told, f"{cure}; {_ELSE}"),)


def _cause(facts: Facts, loaded: list[str]) -> tuple[str, str]:
    if facts.host.cpu is not Cpu.OTHER and not facts.host.virtualisation:
        name = "VT-x" if facts.host.cpu is Cpu.INTEL else "SVM"
        return "/proc/cpuinfo shows neither vmx nor svm", f"turn on {name} in the firmware's settings"
    if not loaded:
        modules = {Cpu.INTEL: ("kvm_intel",), Cpu.AMD: ("kvm_amd",), Cpu.OTHER: ("kvm",)}[facts.host.cpu]
        return f"{' and '.join(MODULES)} are not in /sys/module", prepare_now(*modules)
    return f"{' and '.join(loaded)} is loaded", "udevadm trigger --name-match=kvm, and see dmesg | grep -i kvm"
