"""`libvf_agent doctor` and `libvf_agent gpus` as a person or another program calls them."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from libvf_agent import last_policies
from libvf_agent.__main__ import main
from libvf_agent.journal import Entry, Journal, Phase, Slice
from libvf_agent.steps import Plan

from tests.unit.agent.doctor import hosts
from tests.unit.agent.doctor.hosts import A2, PCI, VF, Host

OURS, FOREIGN = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
VERSIONS = ("--kubelet=v1.36.1", "--runtime=containerd://2.0.4")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return hosts.with_nvidia(tmp_path)


def carve(host: Host, uuid: str, type_id: str = "nvidia-746") -> None:
    """A mediated device of the card's virtual function, as the kernel shows it."""
    kind = host.root / f"{PCI}/{VF}/mdev_supported_types/{type_id}"
    folder = host.root / f"{PCI}/{VF}/{uuid}"
    folder.mkdir()
    (folder / "mdev_type").symlink_to(kind)
    host.link(f"sys/bus/mdev/devices/{uuid}", f"../../pci/devices/{VF}/{uuid}")


def record(host: Host, uuid: str) -> None:
    """The journal of an agent that carved it, which is left locked."""
    piece = Slice("gpu", "n1-gpu", "746-0", plan=Plan(uuid, VF, "nvidia-746", "", ()))
    journal = Journal(host.root / "var/lib/libvf/journal")
    journal.put(Entry("claim-uid", "team", "desk-gpu0", "a boot", Phase.COMPLETED, (piece,)))


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_doctor_ends_with_one_where_something_fails(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["doctor", "--root", str(host.root), *VERSIONS]
    assert main(call) == 0
    assert "\n\nerror: 0, warning: 0, unknown: 0, ok: " in printed(capsys)
    host.remove("dev/kvm")
    assert main(call) == 1
    first, cure, *_ = printed(capsys).splitlines()
    assert first.split()[:3] == ["error", "Kvm", "host"]
    assert cure.split()[0] == "cure:"


def test_doctor_tells_programs_the_same_as_people(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.bind(A2, "nouveau")
    assert main(["doctor", "--root", str(host.root), "--output", "json", *VERSIONS]) == 1
    findings = json.loads(printed(capsys))["findings"]
    [error] = [f for f in findings if f["severity"] == "error"]
    assert (error["subject"], error["check"]) == (A2, "GpuDriver")
    assert set(error) == {"subject", "check", "severity", "what", "cure"}


def test_gpus_tells_what_can_be_cut_and_what_is(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    carve(host, OURS)
    carve(host, FOREIGN)
    record(host, OURS)
    assert main(["gpus", "--root", str(host.root), "--output", "json"]) == 0
    [card] = json.loads(printed(capsys))["gpus"]
    assert {key: card[key] for key in ("name", "vendor", "pciId", "numaNode", "parents")} == {
        "name": A2,
        "vendor": "nvidia",
        "pciId": "10de:25b6",
        "numaNode": 0,
        "parents": [VF],
    }
    [kind] = card["types"]
    assert (kind["id"], kind["vram"], kind["available"], kind["total"]) == ("nvidia-746", 4 << 30, 0, 1)
    assert [(c["uuid"], c["ours"], c["claim"]) for c in card["carvings"]] == [
        (OURS, True, "team/desk-gpu0"),
        (FOREIGN, False, ""),
    ]


def test_gpus_for_people_names_the_claim_and_the_stranger(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    carve(host, OURS)
    carve(host, FOREIGN)
    record(host, OURS)
    main(["gpus", "--root", str(host.root)])
    card, kind, ours, foreign = printed(capsys).splitlines()
    assert card == f"{A2}  nvidia  10de:25b6  NUMA node 0  parents: {VF}"
    assert kind.split()[:5] == ["nvidia-746", "4Gi", "0", "of", "1"]
    assert ours.endswith("of claim team/desk-gpu0")
    assert foreign.endswith("made by somebody else")


def test_types_of_a_pool_count_what_an_empty_card_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host = hosts.with_gvt(tmp_path)
    main(["gpus", "--root", str(tmp_path), "--output", "json"])
    [card] = json.loads(printed(capsys))["gpus"]
    assert [(kind["available"], kind["total"]) for kind in card["types"]] == [(2, 2)]
    assert card["name"] == hosts.UHD
    host.remove("sys/class/mdev_bus")
    main(["gpus", "--root", str(tmp_path)])
    assert "can not be cut now" in printed(capsys)


def test_a_host_without_cards_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hosts.bare(tmp_path)
    assert main(["gpus", "--root", str(tmp_path)]) == 0
    assert printed(capsys) == "no GPU\n"


def test_looking_neither_waits_for_the_journal_nor_changes_it(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    record(host, OURS)
    folder = host.root / "var/lib/libvf/journal"
    (folder / "broken.json").write_text("{")
    (folder / ".lock").touch()
    with (folder / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = sorted((path.name, path.read_bytes()) for path in folder.iterdir())
        assert main(["gpus", "--root", str(host.root)]) == 0
        assert main(["doctor", "--root", str(host.root)]) == 0
        assert sorted((path.name, path.read_bytes()) for path in folder.iterdir()) == before
    assert OURS not in printed(capsys), "it was recorded, and is not there"


def test_looking_makes_nothing_on_the_host(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(host.root.rglob("*"))
    main(["gpus", "--root", str(host.root)])
    main(["doctor", "--root", str(host.root)])
    assert sorted(host.root.rglob("*")) == before


def test_looking_needs_neither_grpc_nor_a_kubernetes_client(host: Host) -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(['grpc', 'google', 'kubernetes', 'aiohttp', 'pyudev']));"
        "from libvf_agent.__main__ import main;"
        f"sys.exit(main(['gpus', '--root', {str(host.root)!r}]) or main(['doctor', '--root', {str(host.root)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=dict(os.environ))
    assert (done.returncode, done.stderr) == (0, "")


def test_gpus_goes_by_the_policies_that_the_agent_has_read(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    spec = {"cards": {"vendor": "nvidia"}, "types": ["nvidia-1*"]}
    documents = [{"metadata": {"name": "small"}, "spec": spec}]
    last_policies.write(host.root / "var/lib/libvf", last_policies.kept({}, documents))
    main(["gpus", "--root", str(host.root)])
    assert (
        printed(capsys)
        .splitlines()[0]
        .endswith("GpuPolicy small allows nothing of what it can be cut into: kubectl get gpol small")
    )
