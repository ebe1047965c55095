"""A guest's vsock: its number is allotted, and no two guests of a host have the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from libvf_agent import cdi, vsock
from libvf_agent.claim_status import carved
from libvf_agent.claims import Claim, parse
from libvf_agent.doors import Doors
from libvf_agent.errors import ClaimError
from libvf_agent.host import Host, Places
from libvf_agent.journal import Entry
from libvf_agent.slices import Node
from libvf_agent.sysfs import Sysfs

from tests.fakekernel.host import FakeHost


class FakeVhost:
    """The kernel's table of guests' numbers (drivers/vhost/vsock.c): `used` are those of guests that run."""

    def __init__(self, used: set[int] | None = None) -> None:
        self.used = used or set()
        self.loaded = True

    def offered(self) -> bool:
        return self.loaded

    def taken(self, cid: int) -> bool:
        return cid in self.used


def agent(folder: Path, kernel: vsock.Vsock, files: FakeHost | None = None) -> Host:
    places = Places(folder / "state", folder / "cdi", folder / "metadata", "/opt/bin/libvf-hook")
    return Host(
        "n1", Doors(Sysfs(files or FakeHost()), accelerated=lambda: True, tap=lambda: None, vsocks=kernel), (), places
    )


def claim(number: int, *shares: str | None) -> Claim:
    result = {"request": "vsock", "driver": "libvf.io", "pool": "n1-vsock", "device": "vsock"}
    results = [{**result, **({"shareID": share} if share else {})} for share in shares or (None,)]
    meta = {"name": f"desk{number}-vsock", "namespace": "lab", "uid": f"0a1b2c3d-0000-4000-8000-{number:012}"}
    return parse({"metadata": meta, "status": {"allocation": {"devices": {"results": results}}}})


def prepare(host: Host, wanted: Claim) -> Entry:
    return host.prepare(wanted, wanted.allocated)


def cids(entry: Entry) -> list[Any]:
    return [piece.facts["vsockCid"] for piece in entry.slices]


def pools(host: Host) -> set[str]:
    return {spec["pool"]["name"] for spec in host.look(Node("n1", "uid"))[0]}


def test_it_is_offered_where_the_host_has_vhost_and_as_long_as_somebody_has_one(tmp_path: Path) -> None:
    kernel = FakeVhost()
    host = agent(tmp_path, kernel)
    assert "n1-vsock" in pools(host)
    prepare(host, claim(1))
    kernel.loaded = False
    assert "n1-vsock" in pools(host)
    host.unprepare(claim(1).metadata.uid)
    assert "n1-vsock" not in pools(host)


def test_its_container_gets_the_node_and_the_number(tmp_path: Path) -> None:
    host = agent(tmp_path, FakeVhost())
    entry = prepare(host, claim(1))
    [cid] = cids(entry)
    [device] = json.loads(cdi.path(tmp_path / "cdi", entry.uid).read_text())["devices"]
    [node] = device["containerEdits"]["deviceNodes"]
    assert (node["path"], node["uid"], node["permissions"]) == ("/dev/vhost-vsock", 107, "rw")
    [mount] = device["containerEdits"]["mounts"]  # and not what a kvm device brings
    told = json.loads(Path(mount["hostPath"]).read_text().splitlines()[0])
    assert told["requests"][0]["devices"][0]["attributes"] == {"vsockCid": {"int": cid}}
    assert carved(entry, "2026-01-01T00:00:00Z")[0]["data"] == {"vsockCid": cid}


def test_no_two_claims_of_a_host_have_one_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vsock, "COUNT", 4)  # so few that most claims begin at another's
    host = agent(tmp_path, FakeVhost())
    found = [cid for number in range(4) for cid in cids(prepare(host, claim(number)))]
    assert sorted(found) == [vsock.FIRST + step for step in range(4)]
    with pytest.raises(ClaimError, match="end guests that have one"):
        prepare(host, claim(5))
    host.unprepare(claim(2).metadata.uid)
    assert cids(prepare(host, claim(5))) == [found[2]]


def test_a_claim_with_two_gets_two(tmp_path: Path) -> None:
    first, second = cids(prepare(agent(tmp_path, FakeVhost()), claim(1, "a", "b")))
    assert first != second


def test_the_number_of_a_guest_that_somebody_else_runs_is_passed_over(tmp_path: Path) -> None:
    [free] = cids(prepare(agent(tmp_path / "a", FakeVhost()), claim(1)))
    assert cids(prepare(agent(tmp_path / "b", FakeVhost({free})), claim(1))) == [free + 1]


def test_a_claim_keeps_its_number_while_its_guest_runs_and_over_a_new_agent(tmp_path: Path) -> None:
    kernel, files = FakeVhost(), FakeHost()
    entry = prepare(agent(tmp_path, kernel, files), claim(1))
    kernel.used |= set(cids(entry))
    assert cids(prepare(agent(tmp_path, kernel, files), claim(1))) == cids(entry)


def test_every_number_is_one_that_the_kernel_takes(tmp_path: Path) -> None:
    host = agent(tmp_path, FakeVhost())
    found = [cid for number in range(50) for cid in cids(prepare(host, claim(number)))]
    assert all(2 < cid < 2**31 for cid in found)
    assert len(set(found)) == len(found)


def test_a_node_without_it_says_what_to_load(tmp_path: Path) -> None:
    kernel = FakeVhost()
    kernel.loaded = False
    with pytest.raises(ClaimError, match="load the module vhost_vsock"):
        prepare(agent(tmp_path, kernel), claim(1))


def test_a_node_that_is_not_the_kernels_is_not_believed(tmp_path: Path) -> None:
    impostor = tmp_path / "vhost-vsock"
    impostor.touch()
    assert not vsock.Vhost(str(tmp_path / "nowhere")).offered()
    with pytest.raises(ClaimError, match="Inappropriate ioctl"):
        prepare(agent(tmp_path, vsock.Vhost(str(impostor))), claim(1))
