"""The tap in a Pod's network: published, prepared, and made by the static hook in a real network namespace."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from libvf_agent import cdi, tap
from libvf_agent.claims import parse
from libvf_agent.doors import Doors
from libvf_agent.host import Host, Places
from libvf_agent.slices import Node
from libvf_agent.steps import Facts
from libvf_agent.sysfs import Sysfs

from tests.fakekernel.host import FakeHost
from tests.unit.launcher.pod_network import MTU, PodNetwork, compiled

UID = "0a1b2c3d-0000-4000-8000-000000000001"


def agent(folder: Path, told: Facts | None) -> Host:
    places = Places(folder / "state", folder / "cdi", folder / "metadata", "/opt/bin/libvf-hook")
    return Host("n1", Doors(Sysfs(FakeHost()), accelerated=lambda: True, tap=lambda: told), (), places)


def prepared(folder: Path, told: Facts) -> dict[str, object]:
    """What CDI is told of a claim on a tap."""
    results = [{"request": "tap", "driver": "libvf.io", "pool": "n1-tap", "device": "tap"}]
    meta = {"name": "desk-tap", "namespace": "lab", "uid": UID}
    claim = parse({"metadata": meta, "status": {"allocation": {"devices": {"results": results}}}})
    agent(folder, told).prepare(claim, claim.allocated)
    [device] = json.loads(cdi.path(folder / "cdi", UID).read_text())["devices"]
    return dict(device["containerEdits"])


def pools(host: Host) -> set[str]:
    return {spec["pool"]["name"] for spec in host.look(Node("n1", "uid"))[0]}


def test_it_is_offered_where_the_host_can_make_one(tmp_path: Path) -> None:
    assert "n1-tap" in pools(agent(tmp_path / "a", {"tap": "vm0", "vhostNet": False}))
    assert "n1-tap" not in pools(agent(tmp_path / "b", None))


@pytest.mark.parametrize("vhost", [True, False])
def test_its_container_gets_the_nodes_and_the_hook(tmp_path: Path, vhost: bool) -> None:
    edits = prepared(tmp_path, {"tap": "vm0", "vhostNet": vhost})
    nodes = {node["path"]: (node["uid"], node["gid"]) for node in edits["deviceNodes"]}  # type: ignore[attr-defined]
    assert nodes == dict.fromkeys(["/dev/net/tun", *(["/dev/vhost-net"] if vhost else [])], (107, 107))
    assert edits["hooks"] == [
        {
            "hookName": "createRuntime",
            "path": "/opt/bin/libvf-tap",
            "args": ["libvf-tap", "vm0", "192.0.0.1", "192.0.0.2", "29", "107", "61107"],
        }
    ]


@pytest.fixture
def pod() -> Iterator[PodNetwork]:
    with PodNetwork(f"libvf-tap-{os.getpid()}").up() as network:
        yield network


def test_the_hook_makes_a_tap_of_our_uid_again_and_again_the_same(pod: PodNetwork, tmp_path: Path) -> None:
    hook = compiled(tap.HOOK, tmp_path)
    assert pod.hook(hook, *tap.arguments()[1:]).stderr == ""
    first = pod.said("ip", "-details", "-json", "address", "show", "vm0")
    assert pod.hook(hook, *tap.arguments()[1:]).stderr == ""
    [link] = json.loads(pod.said("ip", "-details", "-json", "address", "show", "vm0"))
    assert link["ifindex"] == json.loads(first)[0]["ifindex"]
    assert (link["mtu"], link["linkinfo"]["info_data"]["user"]) == (MTU, 107)
    assert [(one["local"], one["prefixlen"]) for one in link["addr_info"] if one["family"] == "inet"] == [
        ("192.0.0.1", 29)
    ]
    assert pod.said("sysctl", "-n", "net.ipv4.ip_forward").strip() == "1"


def test_the_network_of_the_host_is_left_alone(pod: PodNetwork, tmp_path: Path) -> None:
    hook = compiled(tap.HOOK, tmp_path)
    before = Path("/proc/sys/net/ipv4/ip_forward").read_text()
    done = pod.hook(hook, *tap.arguments()[1:], pid=os.getpid())
    assert done.returncode == 1
    assert "run its Pod without hostNetwork" in done.stderr
    assert not Path("/sys/class/net/vm0").exists()
    assert Path("/proc/sys/net/ipv4/ip_forward").read_text() == before


@pytest.mark.parametrize(
    "words", [[], ["vm0", "192.0.0.1", "nowhere", "29", "107", "1"], ["vm0", "1.1.1.1", "1.1.1.2", "40", "1", "1"]]
)
def test_arguments_that_are_not_understood_change_nothing(pod: PodNetwork, tmp_path: Path, words: list[str]) -> None:
    assert "NAME GATEWAY GUEST PREFIX OWNER KEPT" in pod.hook(compiled(tap.HOOK, tmp_path), *words).stderr
    assert "vm0" not in pod.said("ip", "link")
