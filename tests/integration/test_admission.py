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


def _claim(changes: str | None = None, **volume: Any) -> dict[str, Any]:
    disk = {"name": "root", "persistentVolumeClaim": {"claimName": "c", **volume}}
    return {**disk, "changes": changes} if changes else disk


def _nic(name: str = "fast", **fields: Any) -> dict[str, Any]:
    return {"name": name, **fields}


MAC = "52:54:00:12:34:56"
CD = {"name": "cd", "image": {"reference": "example/installer:1"}}
ONE_DISK = _claim()

REFUSED = {
    "the launcher's own port": (
        _machine(ports=[{"name": "odd", "port": 61107}]),
        "spec.ports: at port 61107 kubelet asks the launcher whether the guest runs: use another port in the guest",
    ),
    "ports without a card": (
        _machine(ports=[{"name": "ssh", "port": 22}], network={"mode": "None"}),
        "spec.ports needs a network card",
    ),
    "the address of a group": (_machine(network={"mac": "01:00:5e:00:00:01"}), "its first pair of digits must be even"),
    "a function with the address of a group": (_machine(nics=[_nic(mac="01:00:5e:00:00:01")]), "must be even"),
    "a function with no address": (_machine(nics=[_nic(mac="00:00:00:00:00:00")]), "spec.nics[].mac is zero"),
    "two functions of one address": (_machine(nics=[_nic("a", mac=MAC), _nic("b", mac=MAC)]), "have one address"),
    "a function with the card's address": (_machine(nics=[_nic(mac=MAC)], network={"mac": MAC}), "have one address"),
    "two functions of one name": (_machine(nics=[_nic(), _nic(device="8086:10c9")]), "Duplicate value"),
    "a function of no known card": (_machine(nics=[_nic(device="Intel")]), "spec.nics[0].device"),
    "more functions than a machine holds": (_machine(nics=[_nic(f"n{n}") for n in range(9)]), "at most 8"),
    "a gpu with the name of a function's claim": (_machine(gpus=[_gpu(type="x") | {"name": "nic-a"}]), "take another"),
    "a gpu with the name of another claim": (_machine(gpus=[_gpu(type="x") | {"name": "tap"}]), "take another"),
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
    "an installation from no CD-ROM": (
        _machine(install={"iso": "cd", "disk": "root"}, disks=[_claim()]),
        "spec.install.iso: there is no such CD-ROM",
    ),
    "an installation onto no disk": (
        _machine(install={"iso": "cd", "disk": "root"}, cdroms=[CD]),
        "spec.install.disk: there is no such disk",
    ),
    **{
        f"an installation onto {what}": (
            _machine(install={"iso": "cd", "disk": "root"}, state={"size": "1Gi"}, cdroms=[CD], disks=[disk]),
            "what is installed there would end with the run",
        )
        for what, disk in {
            "an image": ROOT,
            "a blank disk of the run": {"name": "root", "size": "1Gi"},
            "an overlay of the run": {**ONE_DISK, "changes": "Discard"},
            "a disk that is only read": {**ONE_DISK, "readOnly": True},
        }.items()
    },
    "a disk that is kept nowhere": (
        _machine(disks=[{**ROOT, "changes": "Keep"}]),
        "changes Keep needs a volume that outlives the Pod: set spec.state",
    ),
    "an image that is written to": (_machine(disks=[{**ROOT, "changes": "Source"}]), "changes Source is for"),
    "a blank disk with a source": (
        _machine(disks=[{"name": "root", "size": "1Gi", "changes": "Source"}]),
        "changes Source is for",
    ),
    "changes of what is only read": (
        _machine(disks=[{**ONE_DISK, "changes": "Discard", "readOnly": True}]),
        "changes and readOnly exclude each other",
    ),
    "a blank disk that is made to be thrown away": (
        _machine(disks=[_claim(create="1Gi", changes="Discard")]),
        "create makes a disk to be written to",
    ),
    "one file as two disks": (
        _machine(disks=[ONE_DISK, {**_claim(path="disk.img"), "name": "second"}]),
        "two disks are the same file",
    ),
    "a state of two kinds": (
        _machine(state={"size": "1Gi", "persistentVolumeClaim": {"claimName": "c"}}),
        "set either size, for a claim made with the VM, or persistentVolumeClaim",
    ),
    "slices of two claims on one NUMA node": (
        _machine(numa={"policy": "Preferred"}, gpus=[{"name": "a"}, {"name": "b"}]),
        "have several slices by one GpuPartition with count and cell, named by partitionRef",
    ),
    "network functions of a machine that insists on its NUMA node": (
        _machine(numa={"policy": "Aligned"}, nics=[{"name": "fast"}]),
        "spec.nics are claims of their own",
    ),
    "cloud-init from two places": (
        _machine(cloudInit={"secretName": "s", "userData": "#cloud-config"}),
        "spec.cloudInit: set either secretName or userData",
    ),
    "cloud-init from nowhere": (_machine(cloudInit={}), "spec.cloudInit: set either secretName or userData"),
    "guest tools from two places": (
        _machine(guestTools={"image": {"reference": "x"}, "hostPath": {"path": "/srv"}}),
        "spec.guestTools has at most one source",
    ),
    "VNC without a screen": (
        _machine(graphics={"mode": "Headless"}, display=["vnc"]),
        "spec.display: a Headless machine has no screen for vnc to show",
    ),
    "a size for no Looking Glass": (_machine(lookingGlass={"resolution": "1920x1080"}), "spec.lookingGlass goes with"),
    "a resolution that is none": (
        _machine(display=["lookingGlass"], lookingGlass={"resolution": "4K"}),
        "spec.lookingGlass.resolution",
    ),
    "an unknown fallback": (_machine(graphics={"fallback": "Any"}), 'supported values: "None", "VirtioGpu"'),
    "a cell without memory": (_partition(cell={"cpus": 2}), "spec.cell.memory: Required value"),
    "a cell of broken pages": (
        _partition(cell={"cpus": 2, "memory": "3Mi", "hugepages": "2Mi"}),
        "spec.cell.memory must be a multiple of spec.cell.hugepages",
    ),
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
        {"count": 2, "cell": {"cpus": 8, "memory": "16Gi", "overhead": "256Mi", "hugepages": "2Mi"}},
        {"cell": {"cpus": 1, "memory": 1073741824, "policy": "Preferred"}},
    ],
)
def test_partitions_that_mean_something_are_taken(api: Any, spec: dict[str, Any]) -> None:
    answer = api.kubectl("apply", "--dry-run=server", "-f", "-", stdin=_partition(**spec))
    assert answer.returncode == 0, answer.stderr


@pytest.mark.integration
@pytest.mark.parametrize(
    "spec",
    [
        *({"graphics": {"mode": mode}} for mode in ("Accelerated", "Safe", "Headless", "Disabled")),
        {"graphics": {"fallback": "VirtioGpu"}},
        {"graphics": {"mode": "Headless"}, "display": ["spice", "lookingGlass"], "audio": "scream"},
        {"display": ["vnc", "spice", "lookingGlass"], "lookingGlass": {"resolution": "2560x1440"}, "audio": "spice"},
    ],
)
def test_screens_and_sound_that_go_together_are_taken(api: Any, spec: dict[str, Any]) -> None:
    answer = api.kubectl("apply", "--dry-run=server", "-f", "-", stdin=_machine(**spec))
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
    "one NUMA node": {"numa": {"policy": "Aligned"}, "gpus": [{"name": "gpu0"}]},
    "network functions of a machine that only prefers it": {
        "numa": {"policy": "Preferred"},
        "nics": [{"name": "fast"}],
    },
    "GPUs of several claims that nothing holds together": {
        "numa": {"policy": "None"},
        "gpus": [{"name": "a"}, {"name": "b"}],
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
@pytest.mark.parametrize("example", sorted(path.name for path in (REPOSITORY / "examples").glob("*.yaml")))
def test_the_examples_are_taken(api: Any, example: str) -> None:
    answer = api.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", str(REPOSITORY / "examples" / example))
    assert answer.returncode == 0, answer.stderr


@pytest.mark.integration
def test_a_partition_cannot_be_changed(api: Any) -> None:
    assert api.kubectl("apply", "-f", "-", stdin=_partition("fixed", type="a")).returncode == 0
    answer = api.kubectl("apply", "-f", "-", stdin=_partition("fixed", type="b"))
    assert "spec is immutable: delete the GpuPartition and create it anew" in answer.stderr


DISKS: dict[str, dict[str, Any]] = {
    "an overlay that is kept": {"state": {"size": "1Gi"}, "disks": [{**ROOT, "changes": "Keep"}]},
    "a copy of a claim's disk for the run": {"disks": [{**ONE_DISK, "changes": "Discard"}]},
    "two files of one claim": {"disks": [ONE_DISK, {**_claim(path="b.img", create="1Gi"), "name": "second"}]},
    "an installation onto a claim": {
        "install": {"iso": "cd", "disk": "root"},
        "cdroms": [CD],
        "disks": [_claim(create="20Gi")],
    },
    "an installation onto what is kept": {
        "state": {"size": "30Gi"},
        "install": {"iso": "cd", "disk": "root"},
        "cdroms": [CD],
        "disks": [{"name": "root", "size": "20Gi", "changes": "Keep"}],
    },
}


@pytest.mark.integration
@pytest.mark.parametrize("case", DISKS)
def test_disks_that_mean_something_are_taken(api: Any, case: str) -> None:
    document = _machine(**DISKS[case])
    answer = api.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=document)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.integration
def test_what_a_state_is_made_as_stays_and_what_it_is_not_made_from_may_change(api: Any) -> None:
    def applied(**state: Any) -> str:
        return str(api.kubectl("apply", "-f", "-", stdin=_machine(state=state)).stderr)

    assert applied(size="1Gi") == ""
    assert applied(size="1024Mi") == ""
    assert "spec.state.size says how the claim is made and cannot be changed" in applied(size="2Gi")
    assert "storageClassName says how the claim is made" in applied(size="1Gi", storageClassName="fast")
    assert applied(persistentVolumeClaim={"claimName": "c"}) == ""
    api.done("delete", "vfvm", "vm")
