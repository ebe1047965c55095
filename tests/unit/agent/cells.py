"""A host whose NUMA nodes are known, its agent, and claims on parts of them."""

import json
from pathlib import Path
from typing import Any

from libvf_agent.claims import Claim, parse
from libvf_agent.doors import Doors
from libvf_agent.host import Host, Places
from libvf_agent.journal import Entry
from libvf_agent.numa import Reserve
from libvf_agent.slices import Json, Node
from libvf_agent.sysfs import Sysfs

from tests.fakekernel import numa
from tests.fakekernel.host import FakeHost
from tests.fakekernel.numa import Shape

GIB = 1 << 30


class Bed:
    """Node n1 with its agent, which keeps one core and 1 GiB of each NUMA node."""

    def __init__(self, folder: Path, shape: Shape | None = None) -> None:
        self.folder, self.shape = folder, shape or Shape()
        self.kernel = FakeHost(numa_nodes=self.shape.nodes)
        numa.put(self.kernel, self.shape)
        self.host = self.agent()

    def agent(self, reserve: Reserve | None = None) -> Host:
        """Another process takes over."""
        places = Places(self.folder / "state", self.folder / "cdi", self.folder / "metadata", "/opt/bin/libvf-hook")
        doors = Doors(Sysfs(self.kernel), lambda: True, lambda: None, reserve=reserve or Reserve())
        return Host("n1", doors, (), places)

    def offered(self) -> dict[str, Json]:
        """The devices of pool n1-cell by name."""
        specs = [spec for spec in self.host.look(Node("n1", "uid"))[0] if spec["pool"]["name"] == "n1-cell"]
        return {device["name"]: device for spec in specs for device in spec["devices"]}

    def prepare(self, number: int, cpus: int, node: int = 0, **amounts: str) -> Entry:
        """The claim of that number is prepared."""
        wanted = claim(number, cpus, node, **amounts)
        return self.host.prepare(wanted, wanted.allocated)

    def cdi(self, entry: Entry) -> Json:
        """The first device of a claim's CDI file."""
        text = (self.folder / "cdi" / f"libvf.io-{entry.uid}.json").read_text()
        device: Json = json.loads(text)["devices"][0]
        return device

    def static_policy(self, name: str = "static") -> None:
        """Kubelet's CPU manager is at work."""
        state = {"policyName": name, "defaultCpuSet": "0-7", "checksum": 1}
        self.kernel.tree.text("proc/1/root/var/lib/kubelet/cpu_manager_state", json.dumps(state))


def claim(number: int, cpus: int, node: int = 0, **amounts: str) -> Claim:
    """A claim on a part of a NUMA node, as the scheduler allocates it."""
    consumed = {"cpus": str(cpus), "memory": "0", "hugepages2Mi": "0", "hugepages1Gi": "0", **amounts}
    where = {"pool": "n1-cell", "device": f"node{node}", "consumedCapacity": consumed}
    return allocated(number, request="cell", **where)


def allocated(number: int, **where: Any) -> Claim:
    """A claim with one device that many share."""
    result = {"driver": "libvf.io", "shareID": f"share-{number}", **where}
    meta = {"name": f"desk{number}-gpu0", "namespace": "lab", "uid": f"0a1b2c3d-0000-4000-8000-{number:012}"}
    return parse({"metadata": meta, "status": {"allocation": {"devices": {"results": [result]}}}})


def held(entry: Entry) -> list[int]:
    """The CPUs of an entry's cells, in their order."""
    texts = (str(piece.facts["cpus"]) for piece in entry.slices)
    return [int(number) for text in texts for number in text.split(",") if number]
