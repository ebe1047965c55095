"""Installing a guest (spec.install): whether it is to be done, with what spec, and whether it has been. Pure.

The record is status.installed, which is written before the installer's Pod is removed and outlives every program of
ours. Where it is lost, by a restore without status, nothing is: the disk is tried before the CD-ROM, so that what is
installed boots and does not get overwritten.
"""

from libvf_api import names
from libvf_api.termination import parse

from libvf_operator.objects import Object, condition, launched

FAILED = "InstallFailed"
RESTART_POLICY = {"Always": "OnFailure", "RerunOnFailure": "OnFailure"}  # one that ends well is not begun again


def due(machine: Object) -> bool:
    """Whether the VM runs its installer when it runs."""
    spec = machine["spec"]
    return "install" in spec and (machine.get("status") or {}).get("installed") != record(machine["metadata"], spec)


def spec_now(machine: Object) -> Object:
    """The spec that holds now: that of the installer, without GPUs, or that of the installed guest, without its CD."""
    spec: Object = machine["spec"]
    if "install" not in spec:
        return spec
    if due(machine):
        return {**spec, "graphics": {"mode": "Disabled"}}
    kept = {key: value for key, value in spec.items() if key not in ("install", "cdroms")}
    cdroms = [cdrom for cdrom in spec.get("cdroms", []) if cdrom["name"] != spec["install"]["iso"]]
    return {**kept, **({"cdroms": cdroms} if cdroms else {})}


def record(meta: Object, spec: Object) -> Object:
    """What tells one installation from another: what, and where to."""
    iso, name = spec["install"]["iso"], spec["install"]["disk"]
    return {"iso": iso, "disk": name, "place": _place(meta["name"], spec, name)}


def carried_out(pod: Object | None) -> Object | None:
    """The record of the installation that this Pod has brought to its end; None for any other Pod.

    Only a guest that shut itself down has installed; one that was stopped, or whose QEMU ended, has not.
    """
    document = installs(pod)
    statuses = ((pod or {}).get("status") or {}).get("containerStatuses") or [{}]
    told = parse(((statuses[0].get("state") or {}).get("terminated") or {}).get("message") or "")
    if document is None or told is None or told.reason != "GuestShutdown":
        return None
    return record(document, document["spec"])


def installs(pod: Object | None) -> Object | None:
    """The launch document of a Pod that runs an installer; None for any other."""
    document = launched(pod)
    return document if "install" in document.get("spec", {}) else None


def failure_told(machine: Object) -> bool:
    """Whether the condition says how an installer failed."""
    return condition(machine, "Installed").get("reason") == FAILED


def _place(machine: str, spec: Object, name: str) -> str:
    disk: Object = next((disk for disk in spec.get("disks", []) if disk["name"] == name), {})
    if disk.get("changes") == "Keep":
        given = spec.get("state", {}).get("persistentVolumeClaim", {}).get("claimName")
        return f"state {given or f'{machine}-state'}"
    if volume := disk.get("persistentVolumeClaim"):
        return f"persistentVolumeClaim {volume['claimName']} {volume.get('path', names.DISK_FILE)}"
    return f"hostPath {disk.get('hostPath', {}).get('path')}"
