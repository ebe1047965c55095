"""What is counted, as Prometheus reads it."""

import re
from pathlib import Path

import pytest
from libvf_agent.backends.known import known
from libvf_agent.claims import ClaimRef
from libvf_agent.cluster import Json
from libvf_agent.doctor.facts import NodeInfo
from libvf_agent.doors import Doors
from libvf_agent.driver import Driver
from libvf_agent.errors import ClusterError
from libvf_agent.host import Host, Places
from libvf_agent.metrics import Metrics
from libvf_agent.node_condition import NodeCondition
from libvf_agent.sysfs import Sysfs
from libvf_api.host import Examination, Finding, Severity

from tests.fakekernel.cards import mdpy
from tests.fakekernel.mdev import MediatedHost
from tests.unit.agent.plugged import UID, Cluster

SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="[a-z]+"\})? [0-9.]+')
REF = ClaimRef("ns", "desk-gpu0", UID)
NO_KVM = Examination((Finding("host", "Kvm", Severity.ERROR, "/dev/kvm is missing", "modprobe kvm_intel"),))


class Node(Cluster):
    """A cluster whose Node keeps the conditions that are applied."""

    async def node(self, name: str) -> Json:
        info = {"kubeletVersion": "v1.36.1", "containerRuntimeVersion": "containerd://2.0.4"}
        conditions = [one for body in self.statuses[-1:] for one in body["status"]["conditions"]]
        return {"metadata": {"name": name}, "status": {"nodeInfo": info, "conditions": conditions}}


def samples(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert [line for line in lines if not SAMPLE.fullmatch(line)] == []
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    places = Places(tmp_path / "state", tmp_path / "cdi", tmp_path / "metadata")
    host = Host("n1", Doors(Sysfs(MediatedHost(mdpy())), accelerated=lambda: True, tap=lambda: None), known(), places)
    return Driver(host, Cluster(), call_seconds=0.1)


def test_every_family_is_told_from_the_start() -> None:
    assert samples(Metrics().text(carved=0)) == {
        "libvf_devices_offered": 0,
        "libvf_devices_carved": 0,
        'libvf_prepare_total{result="ok"}': 0,
        'libvf_prepare_total{result="error"}': 0,
        "libvf_prepare_seconds_sum": 0,
        "libvf_prepare_seconds_count": 0,
    }


async def test_a_claim_carved_and_one_refused_are_counted_apart(driver: Driver) -> None:
    cluster: Cluster = driver._door  # type: ignore[assignment]
    cluster.allocate("desk-gpu0", UID, {"request": "gpu", "pool": "n1-mdpy", "device": "xga-0"})
    await driver.prepare(REF)
    with pytest.raises(Exception, match="does not exist"):
        await driver.prepare(ClaimRef("ns", "gone", "0a1b2c3d-0000-4000-8000-000000000002"))
    await driver.publish()
    told = samples(driver.metrics.text(driver.host.carved()))
    assert told["libvf_devices_carved"] == 1
    assert told["libvf_devices_offered"] == 15, "mdpy takes four of each of three sizes, kvm, a virtual GPU, floating"
    assert told['libvf_prepare_total{result="ok"}'] == told['libvf_prepare_total{result="error"}'] == 1
    assert told["libvf_prepare_seconds_count"] == 2
    assert told["libvf_prepare_seconds_sum"] > 0
    await driver.unprepare(REF)
    assert driver.host.carved() == 0


async def test_the_condition_is_written_once_and_its_findings_are_counted() -> None:
    cluster, metrics, asked = Node(), Metrics(), []

    def look(node: NodeInfo) -> Examination:
        asked.append(node)
        return NO_KVM

    condition = NodeCondition("n1", cluster, look, metrics)
    assert await condition.refresh()
    assert not await condition.refresh()
    assert asked == [NodeInfo("v1.36.1", "containerd://2.0.4")] * 2
    assert [body["status"]["conditions"][0]["reason"] for body in cluster.statuses] == ["Kvm"]
    assert samples(metrics.text(0))['libvf_doctor_findings{severity="error"}'] == 1


async def test_a_condition_that_was_refused_is_tried_again() -> None:
    cluster = Node()
    condition = NodeCondition("n1", cluster, lambda node: NO_KVM, Metrics())

    async def refuse(body: Json) -> None:
        raise ClusterError("forbidden", 403)

    cluster.apply_node_status, kept = refuse, cluster.apply_node_status  # type: ignore[method-assign]
    with pytest.raises(ClusterError):
        await condition.refresh()
    cluster.apply_node_status = kept  # type: ignore[method-assign]
    assert await condition.refresh()
