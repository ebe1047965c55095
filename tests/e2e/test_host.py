"""What a host has and lacks, told by `kubectl vf` through the agents."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from lab.binaries import binaries
from lab.demo import get, wait_ready
from lab.testbed import Testbed
from tests.e2e.machines import SMALL, apply

pytestmark = pytest.mark.e2e


def told(bed: Testbed, command: str) -> dict[str, Any]:
    """What `kubectl vf COMMAND` says of n1, with the lab's kubectl."""
    environment = {"KUBECONFIG": str(bed.kubeconfig), "PATH": f"{binaries()}:{os.environ['PATH']}"}
    argv = [sys.executable, "-m", "libvf_cli", command, "n1", "--output", "json"]
    done = subprocess.run(argv, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [node] = json.loads(done.stdout)["nodes"]
    return dict(node)


def test_gpus_shows_what_is_carved_and_what_is_left_of_a_card(bed: Testbed) -> None:
    apply(bed, **SMALL)
    wait_ready(bed, "demo")
    [card] = [gpu for gpu in told(bed, "gpus")["gpus"] if gpu["name"] == "mdpy"]
    used = get(bed, "gpart", "demo-gpu0")["status"]["devices"][0]["mdevUUID"]
    assert [(carving["uuid"], carving["ours"]) for carving in card["carvings"]] == [(used, True)]
    assert {(kind["available"], kind["total"]) for kind in card["types"]} == {(3, 4)}


def test_doctor_finds_the_iommu_and_the_node_itself_says_it_is_healthy(bed: Testbed) -> None:
    found = {finding["check"]: finding for finding in told(bed, "doctor")["findings"]}
    groups = int(bed.node("n1").execute(["sh", "-c", "ls /sys/kernel/iommu_groups | wc -l"]).stdout)
    assert groups > 0
    assert found["Iommu"]["severity"] == "ok"
    assert f"{groups} groups" in found["Iommu"]["what"]
    assert found["Kvm"]["severity"] == "ok"
    conditions = {each["type"]: each for each in bed.api.get("node", "n1")["status"]["conditions"]}
    assert conditions["LibvfReady"]["status"] == "True"
