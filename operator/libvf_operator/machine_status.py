"""What a VirtualMachine's status says, from what was seen. Pure."""

from dataclasses import dataclass

from libvf_api import guest_report, names, screens
from libvf_api.termination import parse

from libvf_operator import alignment, changes, device_claims, installation, volume
from libvf_operator import claim as claims
from libvf_operator import pod as pods
from libvf_operator import service as services
from libvf_operator.last_run import last_run
from libvf_operator.machine import Observed, blocked, completed, wanted
from libvf_operator.objects import Object, condition, deleting, launched, owned_by
from libvf_operator.status import Conditions

IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "CreateContainerError")
STALLED = (
    "PartitionInUse", "PartitionMissing", "Unschedulable", "NodeLost", "GuestFailed", "NotOurs", "PodFailed", "Refused",
    "CellMismatch", "DiskInUse", "VolumeMissing", "VolumeLost", "VolumePending",
    *IMAGE_REASONS,
)  # fmt: skip
RESTING = ("Halted", "Completed", "Paused")

_STANDS_STILL = (
    "QEMU runs and the guest stands still: it was paused, or QEMU stopped it at an I/O error such as a full disk; "
    "unpause it, or ask libvf-launcher qmp query-status"
)


@dataclass(frozen=True, slots=True)
class Summary:
    """The reason and the words of Ready, and whether the guest runs; one that is being installed is not ready."""

    reason: str
    message: str
    running: bool = False

    @property
    def ready(self) -> bool:
        """Whether the guest that is wanted runs."""
        return self.running and self.reason != "Installing"


def status(machine: Object, seen: Observed) -> Object:
    """The whole status."""
    summary = summarise(machine, seen)
    own = [(gpu["name"], pods.partition_of(machine, gpu)) for gpu in machine["spec"].get("gpus", [])]
    devices = [d.get("data") or {} for _, name in own for d in claims.devices(seen.claims.get(name))]
    body: Object = {
        "observedGeneration": machine["metadata"]["generation"],
        "ready": summary.ready,
        "partitions": [{"gpu": gpu, "name": name} for gpu, name in own],
        "conditions": _conditions(machine, seen, summary),
    }
    optional = {
        "node": (seen.pod or {}).get("spec", {}).get("nodeName"),
        "podName": seen.pod["metadata"]["name"] if seen.pod else None,
        "lastRestart": _last_restart(machine, seen.pod),
        "gpu": ", ".join(_in_short(data) for data in devices if "type" in data),
        "service": services.status(_service(machine, seen), machine),
        "vsockCid": device_claims.vsock_cid(machine, seen.claims) if seen.pod else None,
        "installed": installation.carried_out(seen.pod) or (machine.get("status") or {}).get("installed"),
        "guest": _guest(seen.pod, seen.claims.get(claims.kvm_name(machine))),
        "numa": alignment.status(machine, seen.claims) if seen.pod else None,
        "lastRun": last_run(machine, seen.pod),
        "displays": [{"type": way, **screens.place(way)} for way in displays(machine["spec"])],
    }
    return {**body, **{key: value for key, value in optional.items() if value}}


def displays(spec: Object) -> tuple[str, ...]:
    """How the screen can be seen."""
    return screens.ways(spec.get("graphics", {}).get("mode"), spec.get("display"))


def _in_short(data: Object) -> str:
    """A slice with its card; a virtual GPU is on none."""
    return f"{data['type']} on {data['parent']}" if "parent" in data else str(data["type"])


def summarise(machine: Object, seen: Observed) -> Summary:
    """Where the machine stands, in one reason."""
    pod = seen.pod
    if pod is None:
        return _without_pod(machine, seen)
    if not owned_by(pod, machine):
        name = pod["metadata"]["name"]
        return Summary("NotOurs", f"a Pod {name} of somebody else has the machine's name: rename one")
    if not seen.node_ready:
        return Summary("NodeLost", _node_lost(pod))
    if deleting(pod):
        return Summary("Stopping", "the guest is shutting down")
    scheduled = condition(pod, "PodScheduled").get("status")
    if scheduled == "True":
        return _on_node(pod)
    if chosen := claims.chosen_node(pod, seen.claims):
        return Summary("Scheduling", f"its devices are kept on {chosen}")
    if scheduled is None:
        return Summary("Scheduling", "waiting for the scheduler")
    if waits := volume.pending(machine, seen.others, condition(pod, "PodScheduled").get("message") or ""):
        return Summary("VolumePending", waits)
    return Summary("Unschedulable", seen.waiting or "waiting for the scheduler")


def _without_pod(machine: Object, seen: Observed) -> Summary:
    if not wanted(machine, None):
        if completed(machine):
            return Summary(*(condition(machine, "GuestRunning")[key] for key in ("reason", "message")))
        return Summary("Halted", "its slices and node are given back until it is started")
    if block := blocked(machine, seen):
        return Summary(block.reason, block.message)
    if seen.refused:
        return Summary("Refused", f"{seen.refused}: it is tried again now and then")
    return Summary("Starting", "the launcher Pod is being made")


def _on_node(pod: Object) -> Summary:
    state, launcher = pod.get("status") or {}, pods.launcher(pod)
    waiting = (launcher.get("state") or {}).get("waiting") or {}
    if condition(pod, "Ready").get("status") == "True" and installation.installs(pod):
        return Summary("Installing", "the installer runs; it has installed when the guest shuts down", running=True)
    if condition(pod, "Ready").get("status") == "True":
        return Summary("Running", "QEMU says that the guest runs", running=True)
    if pods.unconfirmed(pod):
        return Summary("Reconnecting", "its node answers again, and has not said yet whether the guest still runs")
    if pods.stands_still(pod):
        return Summary("Paused", _STANDS_STILL)
    if waiting.get("reason") in IMAGE_REASONS:
        cure = "check the image's name and that the node can pull it"
        return Summary(waiting["reason"], f"{waiting.get('message', '')}: {cure}")
    if installation.carried_out(pod):
        return Summary("Installed", "the installed guest is started by its runStrategy")
    if state.get("phase") == "Succeeded" and installation.installs(pod):
        return Summary("PodFailed", f"{_end(launcher.get('state'))}: the installation was not finished")
    if state.get("phase") == "Succeeded":
        return Summary("Completed", _end(launcher.get("state")) or "the guest ended")
    if state.get("phase") == "Failed":
        return Summary("PodFailed", _end(launcher.get("state")) or f"{state.get('reason')}: {state.get('message')}")
    if last := _end(launcher.get("lastState")) or _end(launcher.get("state")):
        return Summary("GuestFailed" if waiting else "Restarting", last)
    if waiting.get("reason") not in (None, "ContainerCreating"):
        return Summary("GuestFailed", f"{waiting['reason']}: {waiting.get('message', '')}")
    return Summary("Starting", "the devices are being prepared and the guest is starting")


def _conditions(machine: Object, seen: Observed, summary: Summary) -> list[Object]:
    pod, reason, message = seen.pod, summary.reason, summary.message
    conditions = Conditions(machine)
    scheduled = condition(pod, "PodScheduled").get("status") == "True"
    conditions.set("Scheduled", scheduled, "Scheduled" if scheduled else reason, "" if scheduled else message)
    _tell_devices(machine, seen, conditions)
    _tell_others(machine, seen, conditions)
    alignment.tell(machine, seen.claims, conditions, seen.pod)
    _tell_ports(machine, seen, conditions)
    _tell_installation(machine, seen, conditions, summary)
    conditions.set("GuestRunning", summary.running, reason, message)
    conditions.set("Ready", summary.ready, reason, message)
    stalled = reason in STALLED
    conditions.set("Stalled", stalled, reason if stalled else "Progressing", message if stalled else "")
    moving = not summary.ready and not stalled and reason not in RESTING
    conditions.set("Reconciling", moving, reason if moving else "Settled", message if moving else "")
    changed = _changes(machine, pod) if pod and not installation.carried_out(pod) else []
    words = f"{', '.join(changed)}: kubectl vf restart {machine['metadata']['name']} applies it" if changed else ""
    conditions.set("RestartRequired", bool(changed), "SpecChanged" if changed else "UpToDate", words)
    return conditions.listed()


def _tell_installation(machine: Object, seen: Observed, conditions: Conditions, summary: Summary) -> None:
    """Installed, where something is to be installed. How it failed stays told until it is installed or tried again."""
    if "install" not in machine["spec"]:
        conditions.drop("Installed")
        return
    wish, done = installation.record(machine["metadata"], machine["spec"]), installation.carried_out(seen.pod)
    if wish in (done, (machine.get("status") or {}).get("installed")):
        conditions.set("Installed", True, "Installed", f"from CD-ROM {wish['iso']} onto disk {wish['disk']}")
        return
    before = condition(machine, "Installed")
    given_up = summary.reason == "PodFailed" and installation.installs(seen.pod)
    ended = summary.message if given_up else _ended_installing(seen.pod)
    if summary.reason == "Installing":
        words = f"from CD-ROM {wish['iso']} onto disk {wish['disk']}, until the guest shuts down"
        conditions.set("Installed", False, "Installing", words)
    elif ended or before.get("reason") == installation.FAILED:
        words = f"{ended}: it is tried again as its runStrategy says" if ended else before["message"]
        conditions.set("Installed", False, installation.FAILED, words)
    else:
        conditions.set("Installed", False, summary.reason, f"not installed: {summary.message}")


def _ended_installing(pod: Object | None) -> str:
    """How the installer ended, other than by a guest that shut itself down; empty where it did not."""
    if not installation.installs(pod) or deleting(pod):
        return ""
    launcher = pods.launcher(pod or {})
    return _end(launcher.get("state")) or _end(launcher.get("lastState"))


def _tell_devices(machine: Object, seen: Observed, conditions: Conditions) -> None:
    if seen.pod is None:
        conditions.set("GpuPrepared", False, "NotPrepared", "no Pod uses the slices")
        conditions.set("HardwareAccelerated", None, "NotPrepared", "known when the machine has a node")
        return
    attached = pods.attached(machine)
    told = [claims.prepared(seen.claims.get(pods.partition_of(machine, gpu))) for gpu in attached]
    failed = [words for good, words in told if not good]
    if machine["spec"].get("gpus") and not attached:
        failed = ["it runs without its GPUs"]
    if seen.fallback and not failed:
        conditions.set("GpuPrepared", False, "Fallback", seen.fallback)
    else:
        conditions.set("GpuPrepared", not failed, "NotPrepared" if failed else "Prepared", failed[0] if failed else "")
    kvm = claims.devices(seen.claims.get(claims.kvm_name(machine)))
    if not kvm:
        conditions.set("HardwareAccelerated", None, "NotPrepared", "known when the machine has a node")
        return
    real = bool((kvm[0].get("data") or {}).get("accelerated"))
    words = "" if real else "the node has no KVM: the guest is emulated, which is slow"
    conditions.set("HardwareAccelerated", real, "Kvm" if real else "Emulated", words)


def _tell_others(machine: Object, seen: Observed, conditions: Conditions) -> None:
    """What else it gets of its host, where it asks for any."""
    asked = device_claims.names_of(machine)
    if not asked:
        conditions.drop("DevicesPrepared")
        return
    if seen.pod is None:
        conditions.set("DevicesPrepared", False, "NotPrepared", "no Pod uses them")
        return
    told = [(name, *claims.prepared(seen.claims.get(name))) for name in asked]
    failed = [f"{name}: {words}" for name, good, words in told if not good]
    reason = "NotPrepared" if failed else "Prepared"
    conditions.set("DevicesPrepared", not failed, reason, failed[0] if failed else "")


def _tell_ports(machine: Object, seen: Observed, conditions: Conditions) -> None:
    """Whether a Service carries its ports, where it has any."""
    if not machine["spec"].get("ports"):
        conditions.drop("PortsExposed")
        return
    name, service = machine["metadata"]["name"], _service(machine, seen)
    if service is None:
        conditions.set("PortsExposed", False, "Refused", seen.refused or f"Service {name} is being made")
    elif not owned_by(service, machine):
        words = f"Service {name} was made by somebody else: delete it, or rename the machine"
        conditions.set("PortsExposed", False, "NotOurs", words)
    else:
        conditions.set("PortsExposed", True, "Exposed", f"Service {name} leads to the guest while it runs")


def _service(machine: Object, seen: Observed) -> Object | None:
    return seen.others.get((services.KIND, machine["metadata"]["name"]))


def _end(state: Object | None) -> str:
    """The words of a launcher that has ended."""
    ended = (state or {}).get("terminated")
    if not ended:
        return ""
    told = parse(ended.get("message") or "")
    if told:
        return f"{told.reason}: {told.message}"
    words = ended.get("message") or "no words"
    return f"the launcher ended with {ended.get('exitCode')} ({ended.get('reason')}): {words}"


def _node_lost(pod: Object) -> str:
    node = pod["spec"].get("nodeName")
    return (
        f"node {node} does not answer, so the guest may still run there and is not started elsewhere; when the node is "
        f"surely off: kubectl taint node {node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
    )


def _guest(pod: Object | None, kvm: Object | None) -> Object | None:
    """Since when it runs, and what it says of itself; nothing of one that does not run."""
    launcher = pods.launcher(pod or {})
    running = (launcher.get("state") or {}).get("running")
    if not running:
        return None
    said = next(((device.get("data") or {}).get(names.GUEST) for device in claims.devices(kvm)), None)
    told = guest_report.plain(guest_report.of(said))
    return {"startedAt": running["startedAt"], "restarts": launcher.get("restartCount", 0), **told}


def _changes(machine: Object, pod: Object) -> list[str]:
    """What of the spec differs from what the Pod was started with, from what to what."""
    started = launched(pod).get("spec", {})
    now = pods.launch_document(machine)["spec"]
    changed = changes.told(started, now)
    strategy = machine["spec"].get("runStrategy", "Always")
    policy = pod["spec"].get("restartPolicy")
    if strategy != "Halted" and policy != pods.restart_policy(machine):
        changed.append(f"spec.runStrategy to {strategy}, as the Pod's restartPolicy is {policy}")
    return changed


def _last_restart(machine: Object, pod: Object | None) -> str | None:
    return pods.restart_requested(pod) if pod else (machine.get("status") or {}).get("lastRestart")
