"""What is offered can be carved, and what cannot be carved together is not offered together."""

from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libvf_agent import mdev_types
from libvf_agent.backends import Order
from libvf_agent.backends.mediated import Mediated
from libvf_agent.cards import Part, cards_of
from libvf_agent.effects import Effects
from libvf_agent.inventory import MIB, Carving, Gpu, Offers, SliceType
from libvf_agent.journal import Entry, Phase, Slice
from libvf_agent.offers import offers_of
from libvf_agent.planning import planned
from libvf_agent.rules import careful
from libvf_agent.slices import Node, pool_name, pool_of_gpu, with_lost
from libvf_agent.sysfs import Sysfs

from tests.fakekernel.cards import gvtg, mbochs, mdpy, mtty, nvidia
from tests.fakekernel.mdev import Card, MediatedHost

CARDS = [mdpy, mbochs, mtty, nvidia, gvtg]


def offered(card: Card) -> Offers:
    [gpu] = Mediated().discover(Sysfs(MediatedHost(card)), careful)
    return offers_of(gpu, {})


def homogeneous(*counts: int) -> Gpu:
    types = tuple(SliceType(f"nvidia-{n}", str(n), 16 // n * 1024 * MIB, (), n, 1) for n in counts)
    return Gpu("card", "nvidia", ("card",), types, homogeneous=True)


def sized(*counts: int) -> Gpu:
    """A card that takes so many of each of its sizes, one size at a time."""
    types = tuple(SliceType(f"nvidia-{i}", str(i), (i + 1) * MIB, (), n, 1) for i, n in enumerate(counts))
    return Gpu("card", "nvidia", ("card",), types, homogeneous=True)


def fits(offers: Offers, names: tuple[str, ...]) -> bool:
    """The scheduler's arithmetic: no counter over its capacity."""
    consumed = {offer.name: dict(offer.consumes) for offer in offers.devices}
    return all(sum(consumed[n].get(c, 0) for n in names) <= most for c, most in offers.counters)


@pytest.mark.parametrize("counts", [(8, 4, 2), (6, 3, 1), (4, 4, 2, 1), (3, 3, 3), (1, 1), (5,)])
def test_locks_allow_one_size_at_a_time_and_all_of_it(counts: tuple[int, ...]) -> None:
    offers = offers_of(sized(*counts), {})
    size = {offer.name: offer.type.id for offer in offers.devices}
    for number in range(1, len(size) + 1):
        for names in combinations(size, number):
            assert fits(offers, names) == (len({size[n] for n in names}) == 1), names


def test_a_card_of_ten_sizes_is_locked_exactly_within_the_limits_of_the_api() -> None:
    gpu = sized(32, 24, 16, 12, 8, 6, 4, 3, 2, 1)  # an L40S
    offers = offers_of(gpu, {})
    size = {offer.name: offer.type.id for offer in offers.devices}
    assert all(fits(offers, pair) == (size[pair[0]] == size[pair[1]]) for pair in combinations(size, 2))
    for kind in gpu.types:
        of_kind = tuple(name for name in size if size[name] == kind.id)
        assert len(of_kind) == kind.limit
        assert fits(offers, of_kind)
    specs = pool_of_gpu(Node("n1", "uid"), offers)
    devices = [device for spec in specs for device in spec.get("devices", [])]
    assert max(len(device["consumesCounters"]) for device in devices) <= 2


def test_series_of_one_size_share_what_the_card_takes_of_it() -> None:
    kinds = [SliceType(f"nvidia-{n}{s}", f"{n}{s}", 16 // n * 1024 * MIB, (), n, 1) for n in (4, 2) for s in "qc"]
    offers = offers_of(Gpu("card", "nvidia", ("card",), tuple(kinds), homogeneous=True), {})
    assert fits(offers, ("4q-0", "4c-1", "4q-2", "4c-3"))
    assert not fits(offers, ("4q-0", "4q-1", "4q-2", "4q-3", "4c-3"))
    assert not fits(offers, ("2q-0", "2c-0"))
    assert fits(offers, ("2q-0", "2c-1"))


def test_a_foreign_device_leaves_only_its_own_size_and_one_less_of_it() -> None:
    gpu = homogeneous(8, 4, 2)
    offers = offers_of(Gpu(**{**_fields(gpu), "carvings": (Carving("x", "card", "nvidia-4"),)}), {})
    takeable = {offer.type.id for offer in offers.devices if fits(offers, (offer.name,))}
    assert takeable == {"nvidia-4"}
    assert sum(fits(offers, (offer.name,)) for offer in offers.devices) == 3


def test_a_foreign_device_on_a_linear_card_takes_its_share_of_the_counter() -> None:
    kernel = MediatedHost(mbochs())
    kernel.mdev.make("mbochs", "mbochs-large")
    [gpu] = Mediated().discover(Sysfs(kernel), careful)
    assert dict(offers_of(gpu, {}).counters) == {"memory": (256 - 64) * MIB}


@pytest.mark.parametrize("card", CARDS)
def test_our_own_devices_change_neither_names_nor_capacities(card) -> None:  # type: ignore[no-untyped-def]
    kernel = MediatedHost(card())
    backend = Mediated()
    [gpu] = backend.discover(Sysfs(kernel), careful)
    before = offers_of(gpu, {})
    name, kind = before.devices[0].name, before.devices[0].type
    plan = backend.plan(gpu, Order(kind, name, "claim"))
    Effects(Sysfs(kernel)).apply(plan.steps[0])
    [gpu] = backend.discover(Sysfs(kernel), careful)
    after = offers_of(gpu, {plan.id: name})
    assert after.counters == before.counters
    assert [o.name for o in after.devices] == [o.name for o in before.devices]


def test_open_is_true_where_the_card_is_cut_in_that_size() -> None:
    gpu = Gpu(**{**_fields(homogeneous(8, 4)), "carvings": (Carving("x", "card", "nvidia-4"),)})
    offers = offers_of(gpu, {"x": "4-0"})
    assert {offer.type.id for offer in offers.devices if offer.open} == {"nvidia-4"}


def test_a_size_that_fills_the_card_opens_nothing() -> None:
    gpu = Gpu(**{**_fields(homogeneous(8, 1)), "carvings": (Carving("x", "card", "nvidia-1"),)})
    assert not any(offer.open for offer in offers_of(gpu, {"x": "1-0"}).devices)


@pytest.mark.parametrize("card", CARDS)
def test_slices_keep_the_limits_of_the_api(card) -> None:  # type: ignore[no-untyped-def]
    specs = pool_of_gpu(Node("n1", "uid"), offered(card()))
    assert all(spec["pool"]["resourceSliceCount"] == len(specs) for spec in specs)
    for spec in specs:
        assert ("devices" in spec) != ("sharedCounters" in spec)
        assert len(spec.get("devices", [])) <= 64
        assert all(len(s["counters"]) <= 32 for s in spec.get("sharedCounters", []))
        for device in spec.get("devices", []):
            assert len(device["consumesCounters"]) <= 2
            assert len(device["attributes"]) + len(device.get("capacity", {})) <= 32


def test_the_smallest_come_first() -> None:
    sizes = [offer.type.vram for offer in offered(nvidia()).devices]
    assert sizes == sorted(sizes)


def test_two_devices_of_one_claim_are_planned_on_two_virtual_functions() -> None:
    [gpu] = Mediated().discover(Sysfs(MediatedHost(nvidia())), careful)
    slices = tuple(Slice("gpu", "n1-0000-65-00-0", device) for device in ("702-0", "702-1"))
    wanted = Entry("claim", "ns", "pair", "boot", Phase.STARTED, slices)
    done = planned("n1", cards_of([Part(Mediated(), gpu)]), wanted, frozenset(), frozenset())
    assert len({piece.plan.parent for piece in done.slices if piece.plan}) == 2


def test_pool_names_are_plain() -> None:
    assert pool_name("N1.lab", "0000:65:00.0") == "n1-lab-0000-65-00-0"


@given(st.text(), st.text(), st.sampled_from(["nvidia-1", "i915-GVTg_V5_4", "mdpy-x", "mbochs-x", "mtty-2", "?"]))
def test_no_text_of_a_driver_breaks_the_reading(name: str, description: str, type_id: str) -> None:
    kind = mdev_types.parse(mdev_types.Raw(type_id, name, description, 1))
    assert kind is None or kind.vram >= 0


@given(st.integers(1, 64), st.integers(1, 1 << 17))
def test_nvidia_sizes_are_read_as_written(limit: int, megabytes: int) -> None:
    text = f"num_heads=4, frl_config=60, framebuffer={megabytes}M, max_instance={limit}"
    kind = mdev_types.parse(mdev_types.Raw("nvidia-746", "NVIDIA A2-4Q", text, 1))
    assert kind is not None
    assert (kind.vram, kind.limit, kind.display) == (megabytes * MIB, limit, True)


def _fields(gpu: Gpu) -> dict:  # type: ignore[type-arg]
    return {name: getattr(gpu, name) for name in Gpu.__slots__}


@pytest.mark.parametrize(("card", "pci_id"), [(nvidia, "10de:25b6"), (gvtg, "8086:591b"), (mdpy, None)])
def test_a_cards_pci_id_is_that_of_its_physical_function(card: Callable[[], Card], pci_id: str | None) -> None:
    specs = pool_of_gpu(Node("n1", "uid"), offered(card()))
    found = {device["attributes"].get("device", {}).get("string") for s in specs for device in s.get("devices", [])}
    assert found == {pci_id}


def test_the_video_memory_of_a_gvtg_slice_is_its_high_graphics_memory() -> None:
    sizes = {offer.type.id: offer.type.vram // MIB for offer in offered(gvtg()).devices}
    assert sizes == {"i915-GVTg_V5_8": 384, "i915-GVTg_V5_4": 512, "i915-GVTg_V5_2": 1024, "i915-GVTg_V5_1": 2048}


def test_a_device_that_its_card_offers_no_more_is_published_while_it_is_allocated() -> None:
    specs = with_lost(pool_of_gpu(Node("n1", "uid"), offered(mdpy())), "n1", {"n1-mdpy": ("8k-0", "xga-1")})
    devices = {device["name"]: device for spec in specs for device in spec.get("devices", [])}
    assert {name for name, device in devices.items() if "taints" in device} == {"8k-0", "xga-1"}
    assert devices["8k-0"]["taints"] == [{"key": "libvf.io/lost", "effect": "NoExecute"}]
    assert all(spec["pool"]["resourceSliceCount"] == len(specs) for spec in specs)
