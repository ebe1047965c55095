"""What end-to-end tests do with machines: declare them, wait for them, and look for what they left behind."""

import time
from collections.abc import Callable
from typing import Any

import yaml

from lab.demo import condition, get
from lab.inspect_node import mdevs, qemus
from lab.testbed import REPOSITORY, Testbed

# seconds: how long something takes says how busy an emulated node is, not whether it is right
PATIENCE = 180.0
EXAMPLE = REPOSITORY / "examples" / "vm.yaml"
# a guest that still boots does not hear the power button: a short grace keeps the tests short
HASTY = {"terminationGracePeriodSeconds": 4}
# no disk to boot from: enough where only the machine matters, not what its guest does
SMALL = {"memory": {"size": "128Mi"}, "disks": [], **HASTY}


def example(name: str, **spec: Any) -> dict[str, Any]:
    """The machine of an example, with these fields of its spec changed."""
    [machine] = [thing for thing in documents(name) if thing["kind"] == "VirtualMachine"]
    machine["spec"].update(spec)
    return machine


def documents(name: str) -> list[dict[str, Any]]:
    """All that an example declares."""
    return list(yaml.safe_load_all((REPOSITORY / "examples" / f"{name}.yaml").read_text()))


def declared(name: str = "demo", **spec: Any) -> str:
    """The example under another name and with these fields of the spec, as YAML."""
    machine = example("vm", **spec)
    machine["metadata"]["name"] = name
    return yaml.safe_dump(machine)


def apply(bed: Testbed, name: str = "demo", **spec: Any) -> None:
    """Declare a machine."""
    bed.kubectl("apply", "-f", "-", stdin=declared(name, **spec))


def empty(bed: Testbed) -> None:
    """End all machines, and what else there is of our resources."""
    bed.kubectl("delete", "vfvm,gpart,pods", "--all", "--wait", "--timeout=180s")


def ready(bed: Testbed, name: str) -> dict[str, Any]:
    """The VM's Ready condition; empty where there is none yet."""
    return condition(get(bed, "vfvm", name), "Ready")


def until_reason(bed: Testbed, name: str, reason: str, seconds: float = PATIENCE) -> str:
    """Wait until Ready has this reason; returns its message."""
    until(lambda: ready(bed, name).get("reason"), reason, seconds)
    return str(ready(bed, name)["message"])


def until(look: Callable[[], object], expected: object, seconds: float = PATIENCE) -> None:
    """Look again and again until it is as expected; fails with what was seen last."""
    deadline = time.monotonic() + seconds
    while (seen := look()) != expected and time.monotonic() < deadline:
        time.sleep(1)
    assert seen == expected, f"after {seconds:.0f} s: {seen!r}, not {expected!r}"


def left(bed: Testbed) -> dict[str, list[str]]:
    """All traces of VMs in the API and on the nodes."""
    kinds = ("vfvm", "gpart", "resourceclaim", "pod")
    traces = {"api": [f"{kind}/{thing['metadata']['name']}" for kind in kinds for thing in bed.api.list(kind)]}
    script = (
        "find /var/run/cdi /var/run/libvf/metadata /var/run/libvf/reports /var/lib/libvf/journal"
        " -mindepth 1 -not -name '*lock*';"
        "ls /sys/bus/mdev/devices; pgrep -a qemu-system || true"
    )
    for node in bed.nodes():
        traces[node.name] = node.execute(["sh", "-c", script]).stdout.decode().splitlines()
    return {place: found for place, found in traces.items() if found}


def all_mdevs(bed: Testbed) -> set[str]:
    """UUIDs of all mediated devices of all nodes."""
    return {uuid for node in bed.nodes() for uuid in mdevs(node)}


def all_qemus(bed: Testbed) -> int:
    """How many QEMU processes run on all nodes."""
    return sum(len(qemus(node)) for node in bed.nodes())
