"""Where a card's functions and memory lie on the bus."""

from __future__ import annotations


def shifted(address: str, by: int) -> str:
    """The address that far behind another one, in routing ids."""
    domain, bus, rest = address.split(":")
    device, number = rest.split(".")
    routing = (int(bus, 16) << 8 | int(device, 16) << 3 | int(number)) + by
    return f"{domain}:{routing >> 8:02x}:{routing >> 3 & 31:02x}.{routing & 7}"


def resource(bars: tuple[int, ...]) -> str:
    """Memory BARs one after the other from 4 GiB on, then empty lines as the kernel shows them."""
    start, lines = 1 << 32, []
    for size in bars:
        lines.append(f"0x{start:016x} 0x{start + size - 1:016x} 0x{0x14220C:016x}")
        start += size
    return "\n".join([*lines, *[f"0x{0:016x} 0x{0:016x} 0x{0:016x}"] * (13 - len(lines))])
