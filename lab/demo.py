"""`make demo`: one VM from `kubectl apply` to a picture of its own screen, and a report of what was read back.

The picture is no constant: a random word goes into the VM's spec, the guest draws it on the framebuffer of
its mdev, and the word is read from the pixels.
"""

import base64
import json
import random
import string
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError
from lab.inspect_node import Qemu, mdev, qemu_of
from lab.progress import say, step
from lab.screen import UnreadableScreen, read_word
from lab.testbed import REPOSITORY, Testbed

OUT = REPOSITORY / "out" / "demo"
READY_SECONDS = 240
SCREEN_SECONDS = 240


def main() -> int:
    """Run the demo; returns 0 when the word read from the screen is the word that was sent."""
    try:
        report = demo(Testbed())
    except LabError as error:
        say(f"error: {error}")
        return 1
    print(json.dumps(report, indent=2))
    say(f"the guest's screen: {OUT / 'screen.png'}")
    say(f"the lab stays up: export KUBECONFIG={Testbed().kubeconfig}; `make down` ends it")
    return 0 if report["word"] == report["wordRead"] else 1


def demo(lab: Testbed) -> dict[str, Any]:
    """Bring everything up, apply, wait, look; returns the report that is also written to out/demo."""
    lab.up(1)
    install(lab)
    word = "".join(random.choices(string.ascii_uppercase + string.digits, k=8))
    machine = with_word(REPOSITORY / "examples" / "vm.yaml", word)
    name = machine["metadata"]["name"]
    lab.kubectl("delete", "vfvm", name, "--ignore-not-found", "--wait")
    lab.kubectl("wait", "--for=delete", f"pod/{name}", "--timeout=120s")
    lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(machine))
    with step(f"waiting for VirtualMachine {name}"):
        wait_ready(lab, name)
    show_path(lab, name)
    OUT.mkdir(parents=True, exist_ok=True)
    with step("waiting for the guest to draw its word"):
        read = read_screen(lab, name, OUT / "screen.png")
    report = make_report(lab, name, word, read)
    (OUT / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def install(lab: Testbed) -> None:
    """Apply the manifests and wait until operator and agent run."""
    with step("installing libvf: kubectl apply -k manifests/overlays/lab"):
        lab.kubectl("apply", "-k", str(REPOSITORY / "manifests" / "overlays" / "lab"))
        for workload in ("deployment/libvf-operator", "daemonset/libvf-agent"):
            lab.kubectl("-n", "libvf-system", "rollout", "status", workload, "--timeout=240s")


def with_word(example: Path, word: str) -> dict[str, Any]:
    """The example VM with the word in its SMBIOS strings, where the guest finds it."""
    machine: dict[str, Any] = yaml.safe_load(example.read_text())
    machine["spec"]["firmware"]["oemStrings"] = [f"libvf.word={word}"]
    return machine


def wait_ready(lab: Testbed, name: str) -> None:
    """Wait for Ready, saying each new reason on the way; raises LabError with the last one."""
    deadline, said = time.monotonic() + READY_SECONDS, ""
    while time.monotonic() < deadline:
        ready = condition(get(lab, "vfvm", name), "Ready")
        words = f"{ready.get('reason', 'Waiting')}: {ready.get('message', 'not yet looked at')}"
        if ready.get("status") == "True":
            return
        if words != said:
            say(f"  {words}")
            said = words
        time.sleep(1)
    raise LabError(f"VirtualMachine {name} was not Ready within {READY_SECONDS} s: {said}")


def show_path(lab: Testbed, name: str) -> None:
    """Print the objects that the request became, from the VM down to the device."""
    print(lab.kubectl("get", "vfvm", name, "-o", "wide"), file=sys.stderr)
    for kind in ("gpart", "resourceclaims", "pods"):
        print(lab.kubectl("get", kind, "-l", f"libvf.io/machine={name}", "-o", "wide"), file=sys.stderr)


def read_screen(lab: Testbed, name: str, picture: Path) -> str:
    """Take screenshots until the word can be read; raises LabError when it never can."""
    deadline, seen = time.monotonic() + SCREEN_SECONDS, "no picture yet"
    while time.monotonic() < deadline:
        try:
            screenshot(lab, name, picture)
            return read_word(picture)
        except (LabError, UnreadableScreen) as error:
            seen = str(error)
        time.sleep(2)
    raise LabError(f"the guest's word could not be read within {SCREEN_SECONDS} s: {seen}")


def screenshot(lab: Testbed, name: str, picture: Path) -> None:
    """Save what the VM's display shows, through the launcher's own command."""
    inside = "/run/libvf/screen.png"
    lab.kubectl("exec", name, "-c", "launcher", "--", "libvf-launcher", "screenshot", inside)
    encoded = lab.kubectl("exec", name, "-c", "launcher", "--", "base64", "-w0", inside)
    picture.write_bytes(base64.b64decode(encoded))


def make_report(lab: Testbed, name: str, word: str, read: str) -> dict[str, Any]:
    """Everything in it is read back from the API or from the node, nothing is assumed."""
    machine, pod = get(lab, "vfvm", name), get(lab, "pod", name)
    node = pod["spec"]["nodeName"]
    process = qemu_of(lab.node(node), machine["metadata"]["uid"])
    return {
        "vm": f"{machine['metadata']['namespace']}/{name}",
        "node": node,
        "device": mdev(lab.node(node), process.mdev_uuid),
        "word": word,
        "wordRead": read,
        "launcher": launcher(lab, name, process),
        "seconds": seconds(lab, machine, pod),
    }


def launcher(lab: Testbed, name: str, process: Qemu) -> dict[str, Any]:
    """Who QEMU is on the node, and what it says it runs on."""
    answer = lab.kubectl("exec", name, "-c", "launcher", "--", "libvf-launcher", "qmp", "query-kvm")
    return {
        "uid": process.uid,
        "capabilities": process.capabilities,
        "memlockBytes": process.memlock_bytes,
        "accelerator": "kvm" if json.loads(answer)["enabled"] else "tcg",
    }


def seconds(lab: Testbed, machine: dict[str, Any], pod: dict[str, Any]) -> dict[str, float]:
    """Seconds after the VM's creation, from the API's own timestamps."""
    created = _time(machine["metadata"]["creationTimestamp"])
    claim = get(lab, "resourceclaim", machine["status"]["partitions"][0]["name"])
    carved = condition(claim["status"]["devices"][0], "Ready")["lastTransitionTime"]
    started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    moments = {
        "scheduled": condition(pod, "PodScheduled")["lastTransitionTime"],
        "prepared": carved,
        "running": started,
        "guestUp": condition(machine, "GuestRunning")["lastTransitionTime"],
    }
    return {name: (_time(moment) - created).total_seconds() for name, moment in moments.items()}


def get(lab: Testbed, kind: str, name: str) -> dict[str, Any]:
    """One object of the default namespace."""
    document: dict[str, Any] = json.loads(lab.kubectl("get", kind, name, "-o", "json"))
    return document


def condition(thing: dict[str, Any], kind: str) -> dict[str, Any]:
    """The condition of that type, from an object or from a device's status; empty where there is none."""
    conditions = thing.get("status", thing).get("conditions", [])
    return next((found for found in conditions if found["type"] == kind), {})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


if __name__ == "__main__":
    sys.exit(main())
