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
    **{
        f"an argument that names something of the host: {argument}": (_machine(extraArguments=[argument]), words)
        for argument, words in {
            "-set drive.root.file=x": "-set takes device.hostdevN.PROPERTY",
            "-set device.root.drive=drive-other": "-set takes device.hostdevN.PROPERTY",
            "-set device.hostdev0.romfile=vbios.rom": "-set takes device.hostdevN.PROPERTY",
            "-set device.hostdev0.sysfsdev=x": "-set takes device.hostdevN.PROPERTY",
            "-set device.hostdev0.fd=7": "-set takes device.hostdevN.PROPERTY",
            "-global virtio-net-pci.romfile=disk.img": "-global takes DRIVER.PROPERTY=VALUE",
            "-global isa-debugcon.chardev=qmp": "-global takes DRIVER.PROPERTY=VALUE",
            "-global vfio-pci.host=0000:65:00.0": "-global takes DRIVER.PROPERTY=VALUE",
            "-global driver=isa-debugcon,property=chardev,value=qmp": "-global takes DRIVER.PROPERTY=VALUE",
            "-global vfio-pci.fd=7": "no property that names something of the host",
            "-global vhost-vsock-pci.guest-cid=3": "no property that names something of the host",
            "-global usb-host.hostaddr=4": "no property that names something of the host",
            "-boot menu=on,splash=secret.jpg": "-boot takes order",
            "-icount shift=auto,rr=record,rrfile=log.bin": "-icount takes shift",
            "-rtc base=utc,x=y": "-rtc takes base",
            "-msg log=x": "-msg takes timestamp",
        }.items()
    },
    "a second monitor": (_machine(extraArguments=["-qmp tcp:0:1"]), "extraArguments allows only"),
    "an unknown field": (_machine(gpu=[]), "unknown field"),
    "a part of a huge page": (_machine(memory={"size": "1025Mi", "hugepages": "2Mi"}), "must be a multiple of"),
    "less than a huge page": (_machine(memory={"size": "512Mi", "hugepages": "1Gi"}), "must be a multiple of"),
    "a TPM that forgets": (_machine(firmware={"tpm": True}), "need spec.state, a volume that keeps"),
    "Secure Boot that forgets": (_machine(firmware={"uefi": {"secureBoot": True}}), "need spec.state"),
    "more CPUs than interrupts": (_machine(cpu={"cores": 128, "sockets": 2}), "must be at most 255"),
    "a folder from nowhere": (_machine(filesystems=[{"name": "share"}]), "a shared folder has exactly one source"),
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


TAKEN: dict[str, dict[str, Any]] = {
    "arguments of every allowed kind": {
        "extraArguments": [
            "-no-fd-bootchk",
            "-rtc base=2026-01-01T10:00:00,clock=vm,driftfix=none",
            "-boot order=dc,menu=on",
            "-msg timestamp=on",
            "-icount shift=auto,sleep=off",
            "-global kvm-pit.lost_tick_policy=delay",
            "-global VGA.vgamem_mb=64",
            "-global max-x86_64-cpu.hv-tlbflush-ext=on",
            "-global virtio-blk-pci.ioeventfd=off",
            "-set device.hostdev0.x-pci-sub-device-id=0x12ba",
            "-set device.hostdev1.rombar=0",
        ]
    },
    "huge pages": {"memory": {"size": "3Gi", "hugepages": "1Gi"}},
    "small huge pages": {"memory": {"size": 1073741824, "hugepages": "2Mi"}},
    "UEFI of one run": {"firmware": {"uefi": {}}},
    "no TPM": {"firmware": {"tpm": False, "uefi": {"secureBoot": False}}},
    "Windows' clock": {"clock": "LocalTime", "hideHypervisor": True, "cpu": {"cores": 51, "sockets": 5}},
    "shared folders": {
        "filesystems": [
            {"name": "home", "owner": 1000, "hostPath": {"path": "/srv"}},
            {"name": "books", "readOnly": True, "persistentVolumeClaim": {"claimName": "books"}},
        ]
    },
}


@pytest.mark.integration
@pytest.mark.parametrize("case", TAKEN)
def test_what_can_be_carried_out_is_taken(api: Any, case: str) -> None:
    document = _machine(**TAKEN[case])
    answer = api.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=document)
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
