"""NVIDIA's cards with the types of their tables (Virtual GPU Software User Guide 20, 9.3), as literal data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A vGPU type: GiB, the most of it on a card of one size, and its places on one that mixes sizes."""

    id: int
    name: str
    size: int
    limit: int
    places: tuple[int, ...]


@dataclass(frozen=True)
class Model:
    """A model of card, as NVIDIA's tables have it."""

    name: str
    pci_id: str
    kinds: tuple[Kind, ...]
    functions: int

    def kind(self, number: int) -> Kind | None:
        """The type of that number."""
        return next((kind for kind in self.kinds if kind.id == number), None)

    def number(self, name: str) -> int:
        """The number of a type, by the end of its name."""
        return next(kind.id for kind in self.kinds if kind.name.endswith(f"-{name}"))


def l40s() -> Model:
    """48 GiB, 32 functions (User Guide 20, 9.3.5)."""
    table = {
        1: (32, (0, 5, 6, 11, 12, 17, 18, 23, 24, 29, 30, 35, 36, 41, 42, 47)),
        2: (24, (0, 4, 6, 10, 12, 16, 18, 22, 24, 28, 30, 34, 36, 40, 42, 46)),
        3: (16, (0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45)),
        4: (12, (0, 8, 12, 20, 24, 32, 36, 44)),
        6: (8, (0, 6, 12, 18, 24, 30, 36, 42)),
        8: (6, (0, 16, 24, 40)),
        12: (4, (0, 12, 24, 36)),
        16: (3, (0, 32)),
        24: (2, (0, 24)),
        48: (1, (0,)),
    }
    names = [*(f"{s}B" for s in (1, 2)), *(f"{s}Q" for s in table), *(f"{s}C" for s in table if s > 3)]
    return Model("L40S", "10de:26b9", _kinds("L40S", 1145, names, table), 32)


def l4() -> Model:
    """24 GiB; the compute series only."""
    table = {
        4: (6, (0, 8, 12, 20)),
        6: (4, (0, 6, 12, 18)),
        8: (3, (0, 16)),
        12: (2, (0, 12)),
        24: (1, (0,)),
    }
    return Model("L4", "10de:27b8", _kinds("L4", 1030, [f"{s}C" for s in table], table), 16)


def _kinds(model: str, first: int, names: list[str], table: dict[int, tuple[int, tuple[int, ...]]]) -> tuple[Kind, ...]:
    sizes = [(name, int(name[:-1])) for name in names]
    return tuple(Kind(first + n, f"NVIDIA {model}-{name}", size, *table[size]) for n, (name, size) in enumerate(sizes))


def told(model: Model) -> str:
    """`nvidia-smi vgpu -s -v`, as R580 prints it for a card that takes MIG as well."""
    lines = ["GPU 00000000:65:00.0"]
    for kind in model.kinds:
        lines += [
            f"    vGPU Type ID                          : {kind.id:#x}",
            f"        Name                              : {kind.name}",
            "        GPU Instance Profile ID           : N/A",
            f"        Max Instances                     : {kind.limit}",
            "        Max Instances Per VM              : 16",
            "        Max Instances Per GI              : N/A",
            f"        FB Memory                         : {kind.size * 1024} MiB",
        ]
    return "\n".join(lines) + "\n"
