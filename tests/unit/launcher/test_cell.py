"""The VM's cell: read from its claim's metadata, and which thread of QEMU runs where."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from libvf_api import launch
from libvf_api.launch import Launch
from libvf_api.v1alpha1 import Cpu
from libvf_launcher import cells, pinning
from libvf_launcher.cell import Cell
from libvf_launcher.errors import BadMachine, DeviceMissing
from libvf_launcher.paths import Paths

ATTRIBUTES = {
    "kind": {"string": "cell"},
    "numaNode": {"int": 1},
    "cpus": {"string": "5,13,6,14"},
    "sharedCpus": {"string": "4,12-13"},
    "threads": {"int": 2},
}


def wanted(policy: str = "Aligned", cores: int = 2, **more: Any) -> Launch:
    """A machine with one GPU."""
    spec = {"memory": {"size": "1Gi"}, "cpu": {"cores": cores}, "numa": {"policy": policy}}
    gpus = [{"name": "gpu0", "claim": "desk-gpu0", "request": "gpu"}]
    return launch.decode(json.dumps({"name": "d", "namespace": "n", "uid": "u", "spec": spec, "gpus": gpus, **more}))


def prepared(root: Path, attributes: dict[str, Any], claim: str = "desk-gpu0") -> Paths:
    """As the agent mounts it."""
    folder = root / "var/run/kubernetes.io/dra-device-attributes/resourceclaims" / claim / "cell"
    folder.mkdir(parents=True)
    device = {"driver": "libvf.io", "pool": "n1-cell", "name": "node1", "attributes": attributes}
    requests = [{"name": "cell", "devices": [device]}]
    text = {"apiVersion": "metadata.resource.k8s.io/v1beta1", "kind": "DeviceMetadata", "requests": requests}
    (folder / "libvf.io-metadata.json").write_text(json.dumps(text) + "\n")
    return Paths(root)


def test_it_is_read_from_the_claim_of_its_gpu(tmp_path: Path) -> None:
    found = cells.read(wanted(), prepared(tmp_path, ATTRIBUTES))
    assert found == Cell(1, (5, 13, 6, 14), (4, 12, 13), 2)


def test_a_machine_without_gpus_has_it_from_a_claim_of_its_own(tmp_path: Path) -> None:
    own = [{"kind": "cell", "name": "cell", "claim": "desk-cell", "request": "cell"}]
    paths = prepared(tmp_path, ATTRIBUTES, "desk-cell")
    found = cells.read(wanted(gpus=[], devices=own), paths)
    assert found is not None
    assert found.node == 1


def test_who_insists_on_one_does_not_start_without_and_who_prefers_one_does(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing, match="no claim brought a cell"):
        cells.read(wanted(), Paths(tmp_path / "none"))
    paths = prepared(tmp_path, {"kind": {"string": "floating"}})
    assert cells.read(wanted("Preferred"), paths) is None
    assert cells.read(wanted("None"), prepared(tmp_path / "other", ATTRIBUTES)) is None


def test_one_that_is_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadMachine, match="its cell has 4 CPUs"):
        cells.read(wanted(cores=5), prepared(tmp_path, ATTRIBUTES))


@pytest.mark.parametrize(
    ("cpu", "cell", "shown"),
    [
        (Cpu(cores=4), Cell(0, (0, 8, 1, 9), threads=2), (1, 2, 2)),
        (Cpu(cores=3), Cell(0, (0, 8, 1, 9), threads=2), (1, 3, 1)),
        (Cpu(cores=4), Cell(0, (0, 1, 2, 3)), (1, 4, 1)),
        (Cpu(cores=2, threads=2), Cell(0, (0, 8, 1, 9), threads=2), (1, 2, 2)),
        (Cpu(cores=2, sockets=2), Cell(0, (0, 8, 1, 9), threads=2), (2, 2, 1)),
        (Cpu(cores=4), None, (1, 4, 1)),
    ],
)
def test_the_guest_is_shown_the_threads_that_its_cpus_are(
    cpu: Cpu, cell: Cell | None, shown: tuple[int, int, int]
) -> None:
    assert cells.topology(cpu, cell) == shown


def test_what_is_no_virtual_cpu_runs_on_cpus_that_none_of_them_has() -> None:
    assert Cell(0, (4, 5, 6), (0, 1)).beside(2) == {6, 0, 1}
    assert Cell(0, (4, 5), ()).beside(2) == {4, 5}


def test_each_virtual_cpu_gets_a_cpu_and_one_thread_for_all_gets_all_of_them() -> None:
    cell = Cell(0, (4, 12, 5))
    listed = [{"cpu-index": n, "thread-id": 100 + n, "target": "x86_64"} for n in range(2)]
    assert pinning.plan(listed, cell) == {100: {4}, 101: {12}}
    assert pinning.plan([{**one, "thread-id": 100} for one in listed], cell) == {100: {4, 12}}


@pytest.fixture
def affinity() -> Iterator[set[int]]:
    """The CPUs of this process, which it has again afterwards."""
    before = os.sched_getaffinity(0)
    yield before
    os.sched_setaffinity(0, before)


def test_what_the_launcher_starts_begins_on_its_own_cpus(affinity: set[int]) -> None:
    first = min(affinity)
    pinning.begin(Cell(0, (first,), ()), 1)
    told = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
    assert f"Cpus_allowed_list:\t{first}\n" in told


def test_cpus_that_the_container_has_not_are_told(affinity: set[int]) -> None:
    with pytest.raises(DeviceMissing, match="CPUs 1020 of its cell are not this container's"):
        pinning.begin(Cell(0, (1020,)), 1)
