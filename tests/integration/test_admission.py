"""What the API server itself refuses, and the words it teaches with."""

from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
ROOT = {"name": "root", "image": {"reference": "example/guest:1"}}


def _machine(**spec: Any) -> str:
    body = {"memory": {"size": "1Gi"}, **spec}
    meta = {"name": "vm", "namespace": "default"}
    return yaml.safe_dump({"apiVersion": "libvf.io/v1alpha1", "kind": "VirtualMachine", "metadata": meta, "spec": body})


def _partition(name: str = "part", **spec: Any) -> str:
    meta = {"name": name, "namespace": "default"}
    return yaml.safe_dump({"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPartition", "metadata": meta, "spec": spec})


def _gpu(**fields: Any) -> dict[str, Any]:
    return {"name": "gpu0", **fields}


REFUSED = {
    "a partition with type and vram": (_partition(type="x", vram={"min": "1Gi"}), "spec.type and spec.vram exclude"),
    "vram min above max": (_partition(vram={"min": "4Gi", "max": "1Gi"}), "vram.min must not be larger than vram.max"),
    "a negative size": (_partition(vram={"min": "-1Gi"}), "must be a quantity above zero"),
    "a size of zero": (_machine(memory={"size": "0"}), "must be a quantity above zero"),
    "a size that is none": (_machine(memory={"size": "much"}), "must be a quantity above zero"),
    "no slices at all": (_partition(count=0), "spec.count"),
    "a gpu with type and vram": (
        _machine(gpus=[_gpu(type="x", vram={"min": 1})]),
        "gpus[].type and gpus[].vram exclude",
    ),
    "partitionRef with a template": (
        _machine(gpus=[_gpu(partitionRef="p", type="x")]),
        "gpus[].partitionRef and a template",
    ),
    "two gpus of one name": (_machine(gpus=[_gpu(type="x"), _gpu(type="y")]), "Duplicate value"),
    "an unknown runStrategy": (_machine(runStrategy="Sometimes"), 'supported values: "Always", "Halted"'),
    "a disk with two sources": (_machine(disks=[{**ROOT, "size": "1Gi"}]), "a disk has exactly one source"),
    "a disk without a source": (_machine(disks=[{"name": "root"}]), "a disk has exactly one source"),
    "a disk and a CD-ROM of one name": (_machine(disks=[ROOT], cdroms=[ROOT]), "share one space of names"),
    "an argument that opens a file": (
        _machine(extraArguments=["-drive file=/etc/shadow"]),
        "extraArguments allows only",
    ),
    "a global set of a file": (_machine(extraArguments=["-set drive.root.file=x"]), "extraArguments allows only"),
    "a second monitor": (_machine(extraArguments=["-qmp tcp:0:1"]), "extraArguments allows only"),
    "an unknown field": (_machine(gpu=[]), "unknown field"),
    "hugepages": (_machine(memory={"size": "1Gi", "hugepages": "2Mi"}), "spec.memory.hugepages is not carried out yet"),
    "a TPM": (_machine(firmware={"tpm": True}), "spec.firmware.tpm are not carried out yet"),
    "shared folders": (_machine(filesystems=[{"name": "share"}]), "spec.filesystems is not carried out yet"),
    "an installation": (_machine(install={"iso": "cd", "disk": "root"}), "spec.install is not carried out yet"),
    "NUMA alignment": (_machine(numa={"policy": "Aligned"}), "spec.numa is not carried out yet"),
    "cloud-init from two places": (
        _machine(cloudInit={"secretName": "s", "userData": "#cloud-config"}),
        "spec.cloudInit: set either secretName or userData",
    ),
    "cloud-init from nowhere": (_machine(cloudInit={}), "spec.cloudInit: set either secretName or userData"),
    "guest tools from two places": (
        _machine(guestTools={"image": {"reference": "x"}, "hostPath": {"path": "/srv"}}),
        "spec.guestTools has at most one source",
    ),
    "safe graphics": (_machine(graphics={"mode": "Safe"}), "spec.graphics.mode Safe is not carried out yet"),
    "SPICE": (_machine(display=["spice"]), "spec.display: only vnc is carried out yet"),
    "a cell": (_partition(cell={"cpus": 2}), "spec.cell is not carried out yet"),
    "an unknown mode": (_partition(mode="Timesliced"), 'supported values: "Mediated", "VirtualFunction"'),
    "a gpu of an unknown mode": (_machine(gpus=[_gpu(mode="Timesliced")]), 'supported values: "Mediated"'),
}


@pytest.mark.integration
@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_field_and_cure(api: Any, case: str) -> None:
    document, words = REFUSED[case]
    answer = api.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=document)
    assert answer.returncode != 0, answer.stdout
    assert words in answer.stderr


@pytest.mark.integration
@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"type": "nvidia-*"},
        {"vram": {"min": "1Gi", "max": "1Gi"}},
        {"vram": {"min": 1}},
        *({"mode": mode} for mode in ("Mediated", "VirtualFunction", "Passthrough")),
    ],
)
def test_partitions_that_mean_something_are_taken(api: Any, spec: dict[str, Any]) -> None:
    answer = api.kubectl("apply", "--dry-run=server", "-f", "-", stdin=_partition(**spec))
    assert answer.returncode == 0, answer.stderr


@pytest.mark.integration
@pytest.mark.parametrize("mode", ["Mediated", "VirtualFunction", "Passthrough"])
def test_a_machine_may_say_how_its_slice_is_made(api: Any, mode: str) -> None:
    answer = api.kubectl("apply", "--dry-run=server", "-f", "-", stdin=_machine(gpus=[_gpu(mode=mode)]))
    assert answer.returncode == 0, answer.stderr


@pytest.mark.integration
def test_the_example_is_taken(api: Any) -> None:
    answer = api.kubectl("apply", "--dry-run=server", "-f", str(REPOSITORY / "examples" / "vm.yaml"))
    assert answer.returncode == 0, answer.stderr


@pytest.mark.integration
def test_a_partition_cannot_be_changed(api: Any) -> None:
    assert api.kubectl("apply", "-f", "-", stdin=_partition("fixed", type="a")).returncode == 0
    answer = api.kubectl("apply", "-f", "-", stdin=_partition("fixed", type="b"))
    assert "spec is immutable: delete the GpuPartition and create it anew" in answer.stderr
