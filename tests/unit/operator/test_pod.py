"""The launcher Pod: what it may, what it is given, what it costs."""

from typing import Any

import pytest
from libvf_operator import pod

from tests.unit.operator.test_machine import SETTINGS, vm

MIB, GIB = 1 << 20, 1 << 30


def launcher(**spec: Any) -> dict[str, Any]:
    return pod.for_machine(vm(**spec), SETTINGS)["spec"]


def test_it_is_unprivileged_in_every_way_the_restricted_standard_asks() -> None:
    spec = launcher()
    container = spec["containers"][0]["securityContext"]
    assert spec["securityContext"]["runAsUser"] == 107
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert container["readOnlyRootFilesystem"]
    assert not container["allowPrivilegeEscalation"]
    assert not spec["automountServiceAccountToken"]


def test_memory_is_requested_and_limited_to_the_guest_and_its_stated_overhead() -> None:
    resources = launcher()["containers"][0]["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert int(resources["limits"]["memory"]) == GIB + 160 * MIB + GIB // 64 + 16 * MIB
    assert "cpu" not in resources["limits"]


def test_a_guest_of_huge_pages_is_charged_to_them_and_its_overhead_to_memory() -> None:
    limits = launcher(memory={"size": "1Gi", "hugepages": "2Mi"})["containers"][0]["resources"]["limits"]
    assert int(limits["hugepages-2Mi"]) == GIB
    assert int(limits["memory"]) == 160 * MIB + GIB // 64 + 16 * MIB


def test_what_runs_beside_qemu_is_counted() -> None:
    folder = {"hostPath": {"path": "/srv"}}
    more = launcher(firmware={"tpm": True}, filesystems=[{"name": "a", **folder}, {"name": "b", **folder}])
    limits = [spec["containers"][0]["resources"]["limits"]["memory"] for spec in (more, launcher())]
    assert int(limits[0]) - int(limits[1]) == 8 * MIB + 2 * 24 * MIB


@pytest.mark.parametrize(
    ("spec", "more"),
    [
        ({"display": ["vnc", "spice"]}, 16 + 32),
        ({"audio": "spice"}, 32),
        ({"graphics": {"fallback": "VirtioGpu"}}, 64),
        ({"display": ["lookingGlass"]}, 128),
        ({"display": ["lookingGlass"], "lookingGlass": {"resolution": "1920x1080"}, "audio": "scream"}, 32 + 2),
    ],
)
def test_screens_and_sound_cost_what_they_say(spec: dict[str, Any], more: int) -> None:
    costs = [int(launcher(**given)["containers"][0]["resources"]["limits"]["memory"]) for given in ({}, spec)]
    assert costs[1] - costs[0] == more * MIB


def test_shared_memory_is_a_folder_of_just_its_size() -> None:
    spec = launcher(display=["lookingGlass"], audio="scream")
    [volume] = [volume for volume in spec["volumes"] if volume["name"] == "libvf-shared"]
    assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": str(130 * MIB)}
    assert {"name": "libvf-shared", "mountPath": "/dev/shm"} in spec["containers"][0]["volumeMounts"]
    assert not [volume for volume in launcher()["volumes"] if volume["name"] == "libvf-shared"]


@pytest.mark.parametrize(
    ("strategy", "policy"),
    [("Always", "Always"), ("RerunOnFailure", "OnFailure"), ("Once", "Never"), ("Manual", "Never")],
)
def test_the_restart_policy_keeps_pod_and_slice_through_a_crash(strategy: str, policy: str) -> None:
    assert launcher(runStrategy=strategy)["restartPolicy"] == policy


def test_each_gpu_is_a_claim_and_kvm_is_one_too() -> None:
    gpus = [{"name": "gpu0", "type": "a"}, {"name": "gpu1", "partitionRef": "shared"}]
    assert launcher(gpus=gpus)["resourceClaims"] == [
        {"name": "gpu0", "resourceClaimName": "desk-gpu0"},
        {"name": "gpu1", "resourceClaimName": "shared"},
        {"name": "kvm", "resourceClaimName": "desk-kvm"},
    ]


def test_disabled_graphics_leave_the_slice_to_others() -> None:
    assert [c["name"] for c in launcher(graphics={"mode": "Disabled"})["resourceClaims"]] == ["kvm"]


def test_every_kind_of_disk_is_mounted_where_the_launcher_looks() -> None:
    disks = [
        {"name": "image", "image": {"reference": "example/disk:1"}},
        {"name": "volume", "persistentVolumeClaim": {"claimName": "root"}},
        {"name": "file", "hostPath": {"path": "/srv/disk.img"}},
        {"name": "blank", "size": "1Gi"},
    ]
    spec = launcher(disks=disks)
    places = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    assert places["disk-image"] == "/volumes/image"
    assert places["disk-volume"] == "/volumes/volume"
    assert places["disk-file"] == "/volumes/file/disk"
    assert "disk-blank" not in places
    assert {mount["name"] for mount in spec["containers"][0]["volumeMounts"]} == {v["name"] for v in spec["volumes"]}


def test_shared_folders_are_mounted_and_what_is_only_read_cannot_be_written() -> None:
    claim, folder = {"persistentVolumeClaim": {"claimName": "books"}}, {"hostPath": {"path": "/srv/share"}}
    spec = launcher(filesystems=[{"name": "books", "readOnly": True, **claim}, {"name": "home", **folder}])
    mounts = {mount["name"]: mount for mount in spec["containers"][0]["volumeMounts"]}
    assert mounts["fs-books"] == {"name": "fs-books", "mountPath": "/filesystems/books", "readOnly": True}
    assert mounts["fs-home"] == {"name": "fs-home", "mountPath": "/filesystems/home"}
    assert {"name": "fs-home", "hostPath": {"path": "/srv/share", "type": "Directory"}} in spec["volumes"]


def test_the_run_strategy_is_no_part_of_what_the_launcher_is_told() -> None:
    always, halted = vm(runStrategy="Always"), vm(runStrategy="Halted")
    assert pod.launch_hash(pod.launch_document(always)) == pod.launch_hash(pod.launch_document(halted))


@pytest.mark.parametrize(("ratio", "asked"), [(1, "4000m"), (10, "400m"), (20, "200m"), (100_000, "1m")])
def test_of_a_cpu_it_asks_the_part_that_the_installation_allots_to_a_virtual_one(ratio: int, asked: str) -> None:
    settings = pod.Settings("image", cpu_allocation_ratio=ratio)
    [container] = pod.for_machine(vm(cpu={"cores": 2, "threads": 2}), settings)["spec"]["containers"]
    assert container["resources"]["requests"]["cpu"] == asked


def test_the_launcher_may_take_ten_minutes_to_answer_and_each_second_is_asked_for() -> None:
    container = launcher()["containers"][0]
    probe = container["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == pod.START_SECONDS
    assert probe["periodSeconds"] < container["readinessProbe"]["periodSeconds"]


def test_a_secret_is_mounted_read_only_and_missed_by_the_launcher_not_by_kubelet() -> None:
    spec = launcher(cloudInit={"secretName": "seed"}, sysprep={"secretName": "answers"})
    volumes = {v["name"]: v["secret"] for v in spec["volumes"] if "secret" in v}
    mounts = {m["name"]: (m["mountPath"], m.get("readOnly")) for m in spec["containers"][0]["volumeMounts"]}
    assert volumes["secret-cloudinit"] == {"secretName": "seed", "optional": True, "defaultMode": 0o440}
    assert volumes["secret-sysprep"]["secretName"] == "answers"
    assert mounts["secret-cloudinit"] == ("/var/run/secrets/libvf/cloudInit", True)
    assert mounts["secret-sysprep"] == ("/var/run/secrets/libvf/sysprep", True)


def test_user_data_in_the_spec_needs_no_secret() -> None:
    assert not [v for v in launcher(cloudInit={"userData": "#cloud-config"})["volumes"] if "secret" in v]


@pytest.mark.parametrize(
    ("source", "volume"),
    [
        ({"image": {"reference": "a/tools:1"}}, {"image": {"reference": "a/tools:1", "pullPolicy": "IfNotPresent"}}),
        ({"persistentVolumeClaim": {"claimName": "t"}}, {"persistentVolumeClaim": {"claimName": "t"}}),
        ({"hostPath": {"path": "/srv/tools"}}, {"hostPath": {"path": "/srv/tools", "type": "Directory"}}),
    ],
)
def test_guest_tools_are_made_from_a_folder_that_is_mounted_read_only(
    source: dict[str, Any], volume: dict[str, Any]
) -> None:
    spec = launcher(guestTools={**source, "sshKeys": {"secretName": "keys"}})
    volumes = {found["name"]: found for found in spec["volumes"]}
    mounts = {m["name"]: (m["mountPath"], m.get("readOnly")) for m in spec["containers"][0]["volumeMounts"]}
    assert volumes["guest-tools"] == {"name": "guest-tools", **volume}
    assert mounts["guest-tools"] == ("/media/guest-tools", True)
    assert mounts["secret-sshkeys"] == ("/var/run/secrets/libvf/sshKeys", True)


def test_guest_tools_that_are_switched_off_need_nothing() -> None:
    spec = launcher(guestTools={"enabled": False, "image": {"reference": "a"}, "sshKeys": {"secretName": "keys"}})
    assert not [v["name"] for v in spec["volumes"] if v["name"].startswith(("guest", "secret"))]
