"""A host that was captured and shown again is the host: discovery, doctor and gpus can not tell them apart."""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from libvf_agent.__main__ import main
from libvf_agent.backends.known import known
from libvf_agent.capture.anonymous import Pseudonyms
from libvf_agent.capture.bounded import BoundedFiles
from libvf_agent.capture.look import capture
from libvf_agent.doctor.facts import NodeInfo
from libvf_agent.doctor.look import look
from libvf_agent.inventory import Gpu
from libvf_agent.rules import RulesOf, careful
from libvf_agent.sysfs import Files, Sysfs
from libvf_api.capture import pack
from libvf_api.host import Finding

from tests.fakekernel.captured import captured
from tests.fakekernel.cards import gvtg, mbochs, mdpy, mtty, nvidia
from tests.fakekernel.disk import write_out
from tests.fakekernel.host import FakeHost
from tests.fakekernel.mdev import Card, MediatedHost
from tests.fakekernel.situations import SITUATIONS, Situation
from tests.unit.agent.capture.hosts import HOSTS
from tests.unit.agent.doctor import hosts

SALT = uuid.UUID("00000000-0000-4000-8000-000000000001")
PSEUDONYMS = Pseudonyms(SALT)
CARDS: list[Callable[[], Card]] = [mdpy, mbochs, mtty, nvidia, gvtg]
TREES = [hosts.bare, hosts.with_nvidia, hosts.with_gvt, hosts.with_xe]
STILL = HOSTS | {name: SITUATIONS[name].host for name in ("nvidia vfio", "nvidia vfio, mixed", "xe")}
VERSIONS = NodeInfo("v1.36.1", "containerd://2.0.4")


def carved(*cards: Card) -> MediatedHost:
    """A host of two NUMA nodes on which somebody made two devices of each card."""
    host = MediatedHost(*cards, numa_nodes=2)
    for card in cards:
        for number in range(2):
            host.mdev.make(card.parents[number % len(card.parents)], next(iter(card.types)))
    return host


def again(files: Files) -> FakeHost:
    """Captured, packed, unpacked and shown."""
    return captured(pack(capture(files, SALT)))


def discovered(files: Files, name: Callable[[str], str] = str, rules: RulesOf = careful) -> tuple[Gpu, ...]:
    """As all backends see it; mediated devices by UUID, in their order, which pseudonyms change."""
    sysfs = Sysfs(files)
    gpus = [gpu for backend in known() for gpu in backend.discover(sysfs, rules)]
    renamed = (tuple(replace(one, id=name(one.id)) for one in gpu.carvings) for gpu in gpus)
    ordered = (tuple(sorted(carvings, key=lambda one: one.id)) for carvings in renamed)
    return tuple(replace(gpu, carvings=carvings) for gpu, carvings in zip(gpus, ordered, strict=True))


def on_disk(files: Files, root: Path) -> Path:
    root.mkdir()
    write_out(files, root)
    return root


def told_by_doctor(root: Path) -> tuple[Finding, ...]:
    """The hook is ours, and no part of a host."""
    return look(root, root / "no hook", VERSIONS).findings


def told_by_gpus(root: Path, capsys: pytest.CaptureFixture[str], name: Callable[[str], str] = str) -> list[object]:
    assert main(["gpus", "--root", str(root), "--output", "json"]) == 0
    gpus: list[dict[str, list[object]]] = json.loads(name(capsys.readouterr().out))["gpus"]
    return [gpu | {"carvings": sorted(gpu["carvings"], key=str)} for gpu in gpus]


@pytest.mark.parametrize("card", CARDS)
def test_the_backends_find_the_same_cards_types_room_and_devices(card: Callable[[], Card]) -> None:
    host = carved(card())
    [found] = discovered(again(host))
    assert [found] == list(discovered(host, PSEUDONYMS.path))
    assert len(found.carvings) == 2
    assert found.types


def test_all_cards_on_one_host_stay_apart() -> None:
    host = carved(*(card() for card in CARDS))
    found = discovered(again(host))
    assert found == discovered(host, PSEUDONYMS.path)
    assert [gpu.name for gpu in found] == ["0000:00:02.0", "0000:65:00.0", "mbochs", "mdpy", "mtty"]


GPUS = {name: situation for name, situation in SITUATIONS.items() if not situation.mac}


@pytest.mark.parametrize("situation", GPUS.values(), ids=GPUS)
def test_every_way_of_carving_finds_the_same(situation: Situation) -> None:
    host = situation.host()
    found = discovered(again(host), rules=situation.rules)
    assert found == discovered(host, PSEUDONYMS.path, situation.rules)
    assert situation.card in [gpu.name for gpu in found]


def test_a_network_card_is_taken_where_it_is_named_and_never_the_name_of_its_link_nor_an_address() -> None:
    """Links are called by addresses on some hosts (enx525400123456)."""
    situation = SITUATIONS["network"]
    host, archive = situation.host(), pack(capture(situation.host(), SALT, card=situation.card))
    found = discovered(captured(archive), rules=situation.rules)
    named = next(gpu for gpu in discovered(host, PSEUDONYMS.path, situation.rules) if gpu.name == situation.card)
    assert found == (replace(named, link=None),)
    assert discovered(again(host), rules=situation.rules) == ()


@pytest.mark.parametrize("card", CARDS)
def test_doctor_and_gpus_say_the_same_of_a_card_that_is_cut(
    card: Callable[[], Card], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host = carved(card())
    before, after = on_disk(host, tmp_path / "before"), on_disk(again(host), tmp_path / "after")
    assert told_by_doctor(after) == told_by_doctor(before)
    listed = told_by_gpus(after, capsys)
    assert listed == told_by_gpus(before, capsys, PSEUDONYMS.path)
    assert len(listed) == 1


@pytest.mark.parametrize("make", TREES)
def test_doctor_and_gpus_say_the_same_of_a_host_that_lacks_nothing(
    make: Callable[[Path], hosts.Host], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = make(tmp_path / "before").root
    after = on_disk(again(BoundedFiles(str(before))), tmp_path / "after")
    found = told_by_doctor(after)
    assert found == told_by_doctor(before)
    assert len(found) >= 9
    assert told_by_gpus(after, capsys) == told_by_gpus(before, capsys)


@pytest.mark.parametrize("make", HOSTS.values(), ids=HOSTS)
def test_doctor_and_gpus_say_the_same_of_cards_laid_out_as_sysfs_is(
    make: Callable[[], FakeHost], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host = make()
    before, after = on_disk(host, tmp_path / "before"), on_disk(again(host), tmp_path / "after")
    assert told_by_doctor(after) == told_by_doctor(before)
    assert told_by_gpus(after, capsys) == told_by_gpus(before, capsys)


@pytest.mark.parametrize("make", STILL.values(), ids=STILL)
def test_what_is_shown_can_be_captured_again_and_is_the_same(make: Callable[[], FakeHost]) -> None:
    first = capture(make(), SALT)
    assert capture(captured(pack(first)), SALT) == first
