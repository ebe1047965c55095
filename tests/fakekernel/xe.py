"""Intel's xe driver: the tree `sriov_admin`, and what becomes of it when functions are enabled and disabled.

The answers are those of drivers/gpu/drm/xe (xe_sriov_pf_sysfs.c, xe_sriov_pf_provision.c,
xe_gt_sriov_pf_config.c) in Linux 7.0, and of ttm_bo.c where memory runs out.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakekernel.host import FakeHost
from tests.fakekernel.pci import BUS, VFIO, Function, Pci, PciHost
from tests.fakekernel.tree import File, Folder, Link, fail

XE, XE_VFIO = "xe", "xe-vfio-pci"
MIB, GIB = 1 << 20, 1 << 30
PAGE = 2 * MIB  # xe_lmtt_page_size
SPARE = 128 * MIB  # pf_get_min_spare_lmem
PRIORITIES = ("low", "normal", "high")
MOST_MS, MOST_US = 100_000, 100_000_000  # abi/guc_klvs_abi.h: the firmware takes no more, and says nothing


@dataclass
class Share:
    """What one function has: bytes, milliseconds, microseconds."""

    quota: int = 0
    quantum: int = 0
    timeout: int = 0
    stopped: bool = False

    def clear(self) -> None:
        """Everything is given back."""
        self.quota, self.quantum, self.timeout, self.stopped = 0, 0, 0, False


@dataclass
class XeCard:
    """A card of the driver.

    `vram` is what its memory manager has, 0 for an integrated one, `used` what the physical function holds of
    it. `quotas` is false before Linux 7.0. `fair_time` is what drivers do since the summer of 2026: 16 ms for
    everybody when functions are enabled. `uneven` are files whose value differs between tiles.
    """

    function: Function
    vram: int = 16 * GIB
    used: int = 32 * MIB
    tiles: int = 1
    quotas: bool = True
    fair_time: bool = False
    debugfs: bool = True
    priority: str = "low"
    shares: list[Share] = field(default_factory=list)
    uneven: set[str] = field(default_factory=set)

    @property
    def free(self) -> int:
        """What nobody has of the video memory."""
        return self.vram - self.used - sum(share.quota for share in self.shares)


def arc(address: str = "0000:65:00.0", **given: object) -> XeCard:
    """A discrete card with 16 GiB."""
    function = Function(address, "8086:e212", "030000", native=XE, total_vfs=12, vf_native=XE)
    return XeCard(function, **given)  # type: ignore[arg-type]


def integrated(address: str = "0000:00:02.0", **given: object) -> XeCard:
    """A processor's own."""
    function = Function(address, "8086:b080", "030000", native=XE, boot_vga=True, total_vfs=7, vf_native=XE)
    return XeCard(function, **{"vram": 0, "quotas": False, **given})  # type: ignore[arg-type]


class XePci(Pci):
    """A bus whose xe driver is awake."""

    def __init__(self, host: FakeHost, drivers: tuple[str, ...] = (VFIO, XE_VFIO)) -> None:
        self.cards: dict[str, XeCard] = {}
        super().__init__(host, drivers)

    def plug(self, card: XeCard) -> None:
        """The card appears, and the driver takes it."""
        self.cards[card.function.address] = card
        self.add(card.function)

    def state(self) -> object:
        """All that a claim could change of the cards."""
        return sorted(
            (c.function.address, c.priority, *((s.quota, s.quantum, s.timeout) for s in c.shares))
            for c in self.cards.values()
        )

    # the driver comes and goes

    def _attach(self, function: Function, driver: str) -> None:
        super()._attach(function, driver)
        card = self.cards.get(function.address)
        if card and driver == XE:
            card.shares = [Share() for _ in range(function.total_vfs + 1)]
            self._put_tree(card)

    def _release(self, function: Function) -> None:
        card = self.cards.get(function.address)
        if card and function.driver == XE:
            card.shares, card.priority = [], "low"
            self._host.tree.drop(f"{self._home(function)}/sriov_admin")
        super()._release(function)

    def _make(self, function: Function, count: int) -> None:
        card = self.cards.get(function.address)
        if card and count:
            self._provision(card, count)
        super()._make(function, count)
        if card:
            for number, address in enumerate(function.vfs, start=1):
                link = Link(self._home(self.functions[address]))
                self._host.tree.put(f"{self._home(function)}/sriov_admin/vf{number}/device", link)

    def _drop_links(self, function: Function) -> None:
        card = self.cards.get(function.address)
        for number in range(1, len(function.vfs) + 1) if card else ():
            self._host.tree.drop(f"{self._home(function)}/sriov_admin/vf{number}/device")
            card.shares[number].clear()
        if card and card.fair_time:
            card.priority = "low"
            card.shares[0].clear()
        super()._drop_links(function)

    def _provision(self, card: XeCard, count: int) -> None:
        """Equal parts of everything that nobody has set before; one quota set by hand is enough to keep off all."""
        wanted = card.shares[1 : count + 1]
        if card.vram and not any(share.quota for share in wanted):
            fair = min(_fair(card, count), _profile(card, count))
            if not fair:
                raise fail(errno.ENOSPC, f"{BUS}/devices/{card.function.address}/sriov_numvfs")
            for share in wanted:
                share.quota = fair
        if card.fair_time:
            for share in (card.shares[0], *wanted):
                share.quantum, share.timeout = 16, 16_000

    # files

    def _put_tree(self, card: XeCard) -> None:
        home, tree = self._home(card.function), self._host.tree
        for number in range(card.tiles):
            tree.put(f"{home}/tile{number}", Folder())
            if card.debugfs and card.vram:
                memory = f"  use_type: 1\n  use_tt: 0\n  size: {card.vram // card.tiles}\n  usage: {card.used}"
                tree.text(f"sys/kernel/debug/dri/{card.function.address}/tile{number}/vram_mm", memory)
        for number in range(card.function.total_vfs + 1):
            name = f"vf{number}" if number else "pf"
            self._put_profile(card, f"{home}/sriov_admin/{name}", number)
        self._put_bulk(card, f"{home}/sriov_admin/.bulk_profile")
        tree.put(f"{home}/sriov_admin/pf/device", Link(home))

    def _put_profile(self, card: XeCard, folder: str, number: int) -> None:
        share = card.shares[number]
        names = {"exec_quantum_ms": "quantum", "preempt_timeout_us": "timeout"}
        if number and card.quotas and card.vram:
            names["vram_quota"] = "quota"
        for name, what in names.items():
            path = f"{folder}/profile/{name}"
            set_ = self._quota(card, number, path) if what == "quota" else _time(share, what)
            file = File(_shown(card, path, share, what), _number(path, 64 if what == "quota" else 32, set_))
            self._host.tree.put(path, file)
        priority = f"{folder}/profile/sched_priority"  # a function's is read only: the firmware changes all at once
        self._host.tree.put(priority, File(lambda: _choice(card.priority, PRIORITIES[: 2 if number else 3])))
        if number:
            self._host.tree.put(f"{folder}/stop", File(write=lambda _: setattr(share, "stopped", True)))

    def _put_bulk(self, card: XeCard, folder: str) -> None:
        """Write only; of everybody, the physical function too, but video memory of the virtual ones."""
        for name, what in (("exec_quantum_ms", "quantum"), ("preempt_timeout_us", "timeout")):
            all_ = [_time(share, what) for share in card.shares]
            write = _number(f"{folder}/{name}", 32, lambda value, all_=all_: [one(value) for one in all_])
            self._host.tree.put(f"{folder}/{name}", File(write=write))
        if card.quotas and card.vram:
            path = f"{folder}/vram_quota"
            each = [self._quota(card, number, path) for number in range(1, len(card.shares))]
            self._host.tree.put(path, File(write=_number(path, 64, lambda value: [one(value) for one in each])))
        path = f"{folder}/sched_priority"
        self._host.tree.put(path, File(write=lambda text: _set_priority(card, path, text)))

    def _quota(self, card: XeCard, number: int, path: str) -> Callable[[int], None]:
        """What was there is given back before the new one is looked for, and is lost where that fails."""

        def set_(value: int) -> None:
            share = card.shares[number]
            if number <= len(card.function.vfs) and self._is_open(card.function.vfs[number - 1]):
                raise fail(errno.EIO, path)  # the firmware changes nothing under a guest
            share.quota = 0
            grain = PAGE * card.tiles
            rounded = -(-value // grain) * grain
            if rounded > card.free:
                raise fail(errno.ENOMEM, path)
            share.quota = rounded

        return set_

    def _is_open(self, address: str) -> bool:
        return self._host.is_open(f"/dev/vfio/{self.functions[address].group}")


def _fair(card: XeCard, count: int) -> int:
    """An equal part of what is free now."""
    free = max(0, card.free // card.tiles - SPARE) // PAGE * PAGE
    return free // count // PAGE * PAGE * card.tiles


def _profile(card: XeCard, count: int) -> int:
    """An equal part with one for the physical function, down to a power of two: the same on every card of a kind."""
    whole = max(0, card.vram // card.tiles - SPARE) // GIB * GIB
    part = whole // (count + 1)
    return (1 << part.bit_length() - 1) * card.tiles if part else 0


def _shown(card: XeCard, path: str, share: Share, what: str) -> Callable[[], str]:
    def read() -> str:
        if any(path.endswith(name) for name in card.uneven):
            raise fail(errno.EUCLEAN, path)
        return f"{getattr(share, what)}\n"

    return read


def _time(share: Share, what: str) -> Callable[[int], None]:
    most = MOST_MS if what == "quantum" else MOST_US
    return lambda value: setattr(share, what, min(value, most))


def _number(path: str, bits: int, set_: Callable[[int], object]) -> Callable[[str], None]:
    """kstrtou32 and kstrtou64 with any base."""

    def write(text: str) -> None:
        try:
            value = int(text.removesuffix("\n"), 0)
        except ValueError:
            raise fail(errno.EINVAL, path) from None
        if not 0 <= value < 1 << bits:
            raise fail(errno.EINVAL if value < 0 else errno.ERANGE, path)
        set_(value)

    return write


def _choice(now: str, offered: tuple[str, ...]) -> str:
    return " ".join(f"[{one}]" if one == now else one for one in offered) + "\n"


def _set_priority(card: XeCard, path: str, text: str) -> None:
    if text.strip() not in PRIORITIES[:2]:
        raise fail(errno.EINVAL, path)
    card.priority = text.strip()


class XeHost(PciHost):
    """A host with these cards."""

    bus = XePci

    def __init__(self, *cards: XeCard, drivers: tuple[str, ...] = (VFIO, XE_VFIO)) -> None:
        super().__init__(drivers=drivers)
        for card in cards:
            self.xe.plug(card)

    @property
    def xe(self) -> XePci:
        """The bus with its driver."""
        assert isinstance(self.pci, XePci)
        return self.pci
