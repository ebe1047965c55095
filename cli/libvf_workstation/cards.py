"""The host's cards, which of them drives the desktop, and the policy that gives one away."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from libvf_workstation.errors import Refused


@dataclass(frozen=True, slots=True)
class Card:
    """A display card. `screens` are connectors with a screen on them, `holders` who has its device nodes open."""

    address: str
    device: str
    driver: str
    first: bool = False
    screens: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()

    @property
    def desktop(self) -> str:
        """Why the desktop would be lost with it; empty where it would not."""
        reasons = [
            *(["the firmware showed its first screen on it"] if self.first else []),
            *([f"there is a screen on {', '.join(self.screens)}"] if self.screens else []),
            *([f"{', '.join(self.holders)} holds it open"] if self.holders else []),
        ]
        return "; ".join(reasons)


def told(cards: Sequence[Card], parents: Sequence[str]) -> str:
    """The cards in words, one a line; `parents` are devices whose own driver cuts them."""
    lines = [
        f"  {card.address}  {card.device}  driver {card.driver or 'none'}"
        + (f"  drives the desktop: {card.desktop}" if card.desktop else "")
        for card in cards
    ]
    lines += [f"  {parent}  is cut by its own driver: nothing of it is taken from the host" for parent in parents]
    return "\n".join(lines or ["  none"])


def policies(cards: Sequence[Card], given: Sequence[str], even_the_desktop: bool) -> list[dict[str, object]]:
    """A GpuPolicy for each card that was named; Refused for one that is not there or that drives the desktop."""
    known = {card.address: card for card in cards}
    made: list[dict[str, object]] = []
    for address in given:
        card = known.get(address)
        if card is None:
            raise Refused(f"--card {address}: no such card; there are {', '.join(known) or 'none'}")
        if card.desktop and not even_the_desktop:
            raise Refused(
                f"--card {address} would take the desktop away ({card.desktop}): "
                "leave it out, or say --even-the-desktop"
            )
        made.append(_policy(card))
    return made


def _policy(card: Card) -> dict[str, object]:
    spec: dict[str, object] = {"cards": {"addresses": [card.address]}, "takeFromHost": True}
    if card.desktop:
        spec["hostDisplay"] = "Take"
    name = f"workstation-{re.sub(r'[:.]', '-', card.address)}"
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPolicy", "metadata": {"name": name}, "spec": spec}


def manifest(made: Sequence[dict[str, object]]) -> str:
    """The policies as kubectl takes them."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(made)})


def look(root: Path) -> list[Card]:
    """Every display card below /sys (class 0x03), with who holds it."""
    devices = sorted((root / "sys/bus/pci/devices").glob("*"))
    return [_card(root, device) for device in devices if _read(device / "class").startswith("0x03")]


def parents(root: Path) -> list[str]:
    """Devices that a driver cuts into mediated ones."""
    return sorted(entry.name for entry in (root / "sys/class/mdev_bus").glob("*"))


def _card(root: Path, device: Path) -> Card:
    nodes = [entry.name for entry in (device / "drm").glob("*")]
    driver = device / "driver"
    return Card(
        address=device.name,
        device=f"{_read(device / 'vendor')[2:]}:{_read(device / 'device')[2:]}",
        driver=driver.resolve().name if driver.exists() else "",
        first=_read(device / "boot_vga") == "1",
        screens=tuple(
            sorted(c.parent.name for c in device.glob("drm/card*/card*-*/status") if _read(c) == "connected")
        ),
        holders=tuple(sorted(holders(root, {f"/dev/dri/{name}" for name in nodes if name.startswith("card")}))),
    )


def holders(root: Path, nodes: set[str], pids: Iterable[int] | None = None) -> set[str]:
    """The programs that have one of the nodes open: a display server has, as has whatever draws without one."""
    found = set()
    among = (root / f"proc/{pid}" for pid in pids) if pids is not None else (root / "proc").glob("[0-9]*")
    for entry in (entry for process in among for entry in process.glob("fd/*")) if nodes else ():
        try:
            if os.readlink(entry) in nodes:
                found.add(_read(entry.parents[1] / "comm"))
        except OSError:  # it has ended, or closed it
            continue
    return found - {"systemd-logind", "systemd"}  # they keep it open for whoever has the seat


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
