"""`make demo`: one VM from `kubectl apply` to a picture of its own screen, and a report of what was read back.

The picture is no constant: a random word goes into the VM's spec, the guest draws it on the framebuffer of
its mdev, and the word is read from the pixels.
"""

import base64
import json
import random
import re
import string
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError
from lab.inspect_node import Qemu, mdev, qemu_of
from lab.path import Taken, told
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
    OUT.mkdir(parents=True, exist_ok=True)
    with step("waiting for the guest to draw its word"):
        read = read_screen(lab, name, OUT / "screen.png")
    taken = take(lab, name)
    say(f"the path that the request took:\n{told(taken)}")
    report = make_report(lab, taken, word, read)
    (OUT / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def install(lab: Testbed) -> None:
    """Apply the manifests and wait until operator, agent and gateway run."""
    with step("installing libvf: kubectl apply -k manifests/overlays/lab"):
        lab.kubectl("apply", "-k", str(REPOSITORY / "manifests" / "overlays" / "lab"))
        for workload in ("deployment/libvf-operator", "daemonset/libvf-agent", "deployment/libvf-gateway"):
            lab.kubectl("-n", "libvf-system", "rollout", "status", workload, "--timeout=240s")


def with_word(example: Path, word: str) -> dict[str, Any]:
    """The example VM with the word in its SMBIOS strings, where the guest finds it."""
    machine: dict[str, Any] = yaml.safe_load(example.read_text())
    machine["spec"]["firmware"]["oemStrings"] = [f"libvf.word={word}"]
    return machine


def wait_ready(lab: Testbed, name: str, seconds: float = READY_SECONDS) -> None:
    """Wait for Ready, saying each new reason on the way; raises LabError with the last one."""
    deadline, said = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        ready = condition(get(lab, "vfvm", name), "Ready")
        words = f"{ready.get('reason', 'Waiting')}: {ready.get('message', 'not yet looked at')}"
        if ready.get("status") == "True":
            return
        if words != said:
            say(f"  {words}")
            said = words
        time.sleep(1)
    raise LabError(f"VirtualMachine {name} was not Ready within {seconds:.0f} s: {said}")


def read_screen(lab: Testbed, name: str, picture: Path) -> str:
    """Take screenshots until the word can be read; raises LabError when it never can.

    The first is taken when the guest says that it is up: each costs a node under emulation ten seconds.
    """
    deadline, seen = time.monotonic() + SCREEN_SECONDS, "no picture yet"
    while time.monotonic() < deadline:
        try:
            if not _UP.search(lab.kubectl("logs", name, "-c", "launcher", "--tail=50")):
                raise LabError("the guest has not said that it is up")
            screenshot(lab, name, picture)
            return read_word(picture)
        except (LabError, UnreadableScreen) as error:
            seen = str(error)
        time.sleep(2)
    raise LabError(f"the guest's word could not be read within {SCREEN_SECONDS} s: {seen}")


_UP = re.compile(r"^libvf-\w+: up ", re.MULTILINE)


def screenshot(lab: Testbed, name: str, picture: Path) -> None:
    """Save what the VM's display shows, through the launcher's own command."""
    inside = "/run/libvf/screen.png"
    lab.kubectl("exec", name, "-c", "launcher", "--", "libvf-launcher", "screenshot", inside)
    encoded = lab.kubectl("exec", name, "-c", "launcher", "--", "base64", "-w0", inside)
    picture.write_bytes(base64.b64decode(encoded))


def take(lab: Testbed, name: str) -> Taken:
    """All that the API and the node say of the VM."""
    machine, pod = get(lab, "vfvm", name), get(lab, "pod", name)
    [own] = machine["status"]["partitions"]
    partition, claim = get(lab, "gpart", own["name"]), get(lab, "resourceclaim", own["name"])
    node = lab.node(pod["spec"]["nodeName"])
    process = qemu_of(node, machine["metadata"]["uid"])
    device = mdev(node, process.mdev_uuid)
    device["numaNode"] = partition["status"]["devices"][0].get("numaNode")  # the samples' own kernel folder has none
    return Taken(machine, partition, claim, pod, device, process)


def make_report(lab: Testbed, taken: Taken, word: str, read: str) -> dict[str, Any]:
    """Everything in it is read back from the API or from the node, nothing is assumed."""
    meta = taken.machine["metadata"]
    return {
        "vm": f"{meta['namespace']}/{meta['name']}",
        "node": taken.pod["spec"]["nodeName"],
        "device": taken.device,
        "word": word,
        "wordRead": read,
        "launcher": launcher(lab, meta["name"], taken.process),
        "seconds": seconds(lab, taken),
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


def seconds(lab: Testbed, taken: Taken) -> dict[str, float]:
    """Seconds after the VM's creation: by the API's own timestamps, and by kubelet's of the guest's first words."""
    created = _time(taken.machine["metadata"]["creationTimestamp"])
    moments = {
        "scheduled": condition(taken.pod, "PodScheduled")["lastTransitionTime"],
        "prepared": condition(taken.claim["status"]["devices"][0], "Ready")["lastTransitionTime"],
        "running": taken.pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"],
        "guestUp": _guest_up(lab, taken.pod["metadata"]["name"]),
    }
    return {name: round((_time(moment) - created).total_seconds(), 1) for name, moment in moments.items()}


def _guest_up(lab: Testbed, pod: str) -> str:
    """When the guest said on its serial console that its screen is drawn."""
    for line in lab.kubectl("logs", pod, "-c", "launcher", "--timestamps").splitlines():
        if "libvf-guest: up" in line:
            return line.split(" ", 1)[0]
    raise LabError(f"the guest of {pod} drew its screen and did not say so on its serial console: see kubectl logs")


def get(lab: Testbed, kind: str, name: str) -> dict[str, Any]:
    """One object of the default namespace."""
    return lab.api.get(kind, name)


def condition(thing: dict[str, Any], kind: str) -> dict[str, Any]:
    """The condition of that type, from an object or from a device's status; empty where there is none."""
    conditions = thing.get("status", thing).get("conditions", [])
    return next((found for found in conditions if found["type"] == kind), {})


def _time(text: str) -> datetime:
    whole, _, fraction = text.removesuffix("Z").partition(".")  # Python 3.11 reads no nanoseconds
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")


if __name__ == "__main__":
    sys.exit(main())
