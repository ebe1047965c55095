"""A machine's life by `kubectl vf`, with the lab's kubectl: its screen, pause, a changed spec, restart, stop."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.binaries import binaries
from lab.demo import condition, get, wait_ready
from lab.testbed import Testbed
from tests.e2e.machines import SMALL, all_mdevs, apply, until

pytestmark = pytest.mark.e2e


def environment(bed: Testbed) -> dict[str, str]:
    return {**os.environ, "KUBECONFIG": str(bed.kubeconfig), "PATH": f"{binaries()}:{os.environ['PATH']}"}


def vf(bed: Testbed, *words: str, code: int = 0) -> str:
    argv = [sys.executable, "-m", "libvf_cli", *words]
    done = subprocess.run(argv, env=environment(bed), capture_output=True, text=True, timeout=120)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout


def guest_status(bed: Testbed) -> str:
    return str(json.loads(bed.kubectl("exec", "demo", "--", "libvf-launcher", "qmp", "query-status"))["status"])


def greeting(bed: Testbed) -> bytes:
    """What a VNC viewer hears first on the port that the command opens."""
    argv = [sys.executable, "-m", "libvf_cli", "vnc", "demo", "--port", "0", "-o", "json"]
    with subprocess.Popen(argv, env=environment(bed), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += process.stdout.readline()
        host, _, port = json.loads(text)["address"].removeprefix("vnc://").partition(":")
        with socket.create_connection((host, int(port)), 60) as viewer:
            viewer.settimeout(60)
            heard = viewer.recv(12, socket.MSG_WAITALL)
        process.terminate()
    return heard


def restart_required(bed: Testbed) -> dict[str, Any]:
    return condition(get(bed, "vfvm", "demo"), "RestartRequired")


@pytest.mark.long
def test_a_machines_life_from_its_screen_to_its_stop(bed: Testbed, tmp_path: Path) -> None:
    apply(bed, **SMALL)
    wait_ready(bed, "demo")
    [row] = json.loads(vf(bed, "ps", "-o", "json"))
    assert (row["state"], row["gpu"], row["ready"]) == ("Running", "mdpy-xga on mdpy", True)
    assert vf(bed, "explain-pending") == "VirtualMachine demo does not wait: Running: QEMU says that the guest runs\n"

    assert "screen.png: 1024x768" in vf(bed, "screenshot", "demo", str(tmp_path / "screen.png"))
    assert greeting(bed) == b"RFB 003.008\n"

    vf(bed, "pause", "demo")
    assert guest_status(bed) == "paused"
    vf(bed, "unpause", "demo")
    assert guest_status(bed) == "running"

    before = get(bed, "pod", "demo")["metadata"]["uid"]
    bed.kubectl("patch", "vfvm", "demo", "--type=merge", "-p", '{"spec": {"memory": {"size": "144Mi"}}}')
    until(lambda: restart_required(bed).get("status"), "True")
    assert restart_required(bed)["message"] == "spec.memory.size 128Mi -> 144Mi: kubectl vf restart demo applies it"
    vf(bed, "restart", "demo", "--wait", "--timeout", "110")
    pod = get(bed, "pod", "demo")
    assert pod["metadata"]["uid"] != before
    assert json.loads(pod["metadata"]["annotations"]["libvf.io/machine"])["spec"]["memory"] == {"size": "144Mi"}
    assert restart_required(bed)["status"] == "False"

    told = vf(bed, "stop", "demo", "--wait")
    assert told.startswith("demo stops: its run strategy is Halted now, and Always again when it is started")
    until(lambda: all_mdevs(bed), set())


def test_what_waits_is_explained_for_each_type_of_each_card(bed: Testbed) -> None:
    apply(bed, **SMALL, gpus=[{"name": "gpu0", "type": "nvidia-746"}])
    until(lambda: condition(get(bed, "vfvm", "demo"), "Ready").get("reason"), "Unschedulable")
    told = vf(bed, "explain-pending", "demo", code=1)
    assert "demo-gpu0 asks for nvidia-746; the scheduler says: 0/" in told
    rows = [line.split() for line in told.splitlines() if line.endswith("is another type")]
    assert {(row[0], row[1], row[2]) for row in rows} >= {("n1", "mdpy", "mdpy-xga"), ("n1", "mbochs", "mbochs-small")}
