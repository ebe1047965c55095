"""What is in the way of a workstation is said at once, all of it, each with its cure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from libvf_workstation.existing import Answer, missing
from libvf_workstation.facts import Facts, in_the_way

GIB = 1 << 30
PODS = "10.244.0.0/24"
GOOD = Facts(
    root=True,
    machine="x86_64",
    systemd=True,
    cgroup2=True,
    overlay=True,
    memory=8 * GIB,
    node="desk",
    routes={"192.168.1.0/24": "enp3s0"},
    free={"/var/lib/libvf-workstation": 100 * GIB},
)


def test_nothing_is_in_the_way_of_a_bare_host() -> None:
    assert in_the_way(GOOD, PODS, GIB) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"root": False}, "run it by sudo"),
        ({"machine": "aarch64"}, "the programs are for x86_64 and this is aarch64"),
        ({"systemd": False}, "systemd is not the first process"),
        ({"cgroup2": False}, "systemd.unified_cgroup_hierarchy=1"),
        ({"overlay": False}, "modprobe overlay"),
        ({"memory": GIB // 2}, "512 MiB of memory"),
        ({"kubelet": True}, "kubeadm reset"),
        ({"busy": frozenset({10248})}, "port 10248 of 127.0.0.1 is taken: stop what listens there"),
        ({"free": {"/var": GIB}}, "/var has 1024 MiB left and 3072 are needed"),
        ({"routes": {"10.244.0.0/16": "flannel.1"}}, "choose another one by --pods"),
        ({"routes": {"10.96.0.0/12": "eth0"}}, "overlaps 10.96.0.0/16"),
    ],
)
def test_what_is_missing_is_said_with_its_cure(change: dict[str, object], words: str) -> None:
    [found] = in_the_way(replace(GOOD, **change), PODS, GIB)  # type: ignore[arg-type]
    assert words in found


def test_its_own_ports_and_folders_are_not_in_its_way() -> None:
    again = replace(
        GOOD, installed=True, kubelet=True, busy=frozenset({10248}), routes={PODS: "libvf0"}, free={"/var": 0}
    )
    assert in_the_way(again, PODS, GIB) == []


NODE = {
    "metadata": {"name": "n1"},
    "status": {
        "nodeInfo": {"containerRuntimeVersion": "containerd://2.1.5-k3s1"},
        "conditions": [{"type": "Ready", "status": "True"}],
    },
}
CLUSTER = Answer("v1.36.2+k3s1", frozenset({"v1", "resource.k8s.io/v1"}), [NODE])


def test_a_cluster_of_today_has_all_that_is_needed() -> None:
    assert missing(CLUSTER) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "v1.35.9+k3s1"}, "Kubernetes is v1.35.9+k3s1 and 1.36 is needed: upgrade it"),
        ({"served": frozenset({"v1"})}, "does not serve resource.k8s.io/v1"),
        ({"nodes": []}, "there is no node: join one"),
        ({"nodes": [{**NODE, "status": {**NODE["status"], "conditions": []}}]}, "node n1 is not Ready"),
        *(
            (
                {"nodes": [{**NODE, "status": {**NODE["status"], "nodeInfo": {"containerRuntimeVersion": runtime}}}]},
                words,
            )
            for runtime, words in (
                ("containerd://1.7.27", "which has CDI turned off: upgrade to containerd 2"),
                ("cri-o://1.36.0", "proved with containerd 2 alone"),
            )
        ),
    ],
)
def test_what_a_cluster_lacks_is_said_with_its_cure(change: dict[str, object], words: str) -> None:
    [found] = missing(replace(CLUSTER, **change))  # type: ignore[arg-type]
    assert words in found
