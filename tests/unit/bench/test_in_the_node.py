"""What the lab's topics make of the times and bytes that they measure, and the machine that their peers get."""

from pathlib import Path

import pytest

from bench import memory, prepare, start
from bench.innode import claims
from bench.innode.scripts import peers
from bench.start import Starts

GOLDEN = Path(__file__).resolve().parents[1] / "launcher" / "golden" / "accelerated.txt"
DEVICE = "11111111-2222-3333-4444-555555555555"
MIB = 1 << 20


def test_a_start_is_told_by_the_ratio_of_medians() -> None:
    found = Starts(machine=(2.0, 2.2, 9.0), plain=(2.0, 2.0, 2.0), launched=(0.7,), virsh=(1.0,), bare=(0.5,))
    apply, virsh, bare = start.figures(found)
    assert (apply.value, apply.reached) == (pytest.approx(1.1), True)
    assert (virsh.value, virsh.reached) == (pytest.approx(0.7), True)
    assert (bare.value, bare.reached) == (pytest.approx(1.4), None)
    assert apply.samples == pytest.approx((1.0, 1.1, 4.5))


def test_a_prepare_is_told_by_what_it_takes_beyond_the_write() -> None:
    beyond, against = prepare.figures(rpc=[0.030, 0.050, 0.040], write=[0.010] * 3, mdevctl=[0.080] * 3)
    assert (beyond.value, beyond.reached) == (pytest.approx(30), True)
    assert against.value == pytest.approx(0.5)
    assert beyond.samples == pytest.approx((20, 40, 30))


def test_a_prepare_where_nothing_is_emulated_is_told_by_its_median() -> None:
    found = prepare.not_emulated([0.020, 0.010, 0.090])
    assert (found.value, found.reached) == (pytest.approx(20), True)
    assert found.samples == pytest.approx((20, 10, 90))


def test_what_a_pod_holds_beyond_qemu_is_all_that_is_there_for_it() -> None:
    pods = [{"launcher": 15 * MIB, "beside": MIB, "shim": 5 * MIB, "qemu": 80 * MIB}] * 2
    peer = {"bare": [80 * MIB] * 2, "libvirt": [90 * MIB] * 2, "daemon": 42 * MIB}
    beyond, against, own = memory.figures(pods, peer)
    assert (beyond.value, beyond.reached) == (pytest.approx(21), False)
    assert against.value == pytest.approx(1.0)
    assert own.value == pytest.approx(1.0)


def test_bare_qemu_gets_the_machine_of_the_pod_but_for_its_device_and_sockets() -> None:
    argv = GOLDEN.read_text().splitlines()
    bare, qmp = peers.bare_argv(argv, DEVICE, 3)
    assert qmp == "/run/libvf/3/qmp.sock"
    changed = [(before, after) for before, after in zip(argv, bare, strict=True) if before != after]
    assert all("/run/libvf/" in before or "mdev" in before or before == argv[0] for before, _ in changed)
    assert any(f"/sys/bus/mdev/devices/{DEVICE},id=hostdev0" in word for word in bare)


def test_a_claim_that_is_allocated_by_hand_names_its_device_and_node() -> None:
    told = claims.allocation(("n1-mbochs", "small-0"), "n1")["allocation"]
    assert told["devices"]["results"][0]["device"] == "small-0"
    assert told["nodeSelector"]["nodeSelectorTerms"][0]["matchFields"][0]["values"] == ["n1"]
