"""A PCI address, parsed once at the edge."""

import re
from dataclasses import dataclass

_ADDRESS = re.compile(r"(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([01][0-9a-f])\.([0-7])", re.IGNORECASE)


class BadPciAddress(ValueError):
    """Text that is no PCI address."""


@dataclass(frozen=True, slots=True, order=True)
class PciAddress:
    """Domain, bus, device and function of a PCI function."""

    domain: int
    bus: int
    device: int
    function: int

    @classmethod
    def parse(cls, text: str) -> "PciAddress":
        """`0000:3b:00.0`, or without the domain, as lspci prints it; raises BadPciAddress."""
        match = _ADDRESS.fullmatch(text.strip())
        if not match:
            raise BadPciAddress(f"{text!r} is no PCI address: write it as 0000:3b:00.0")
        domain, bus, device, function = match.groups()
        return cls(int(domain or "0", 16), int(bus, 16), int(device, 16), int(function, 16))

    def __str__(self) -> str:
        return f"{self.domain:04x}:{self.bus:02x}:{self.device:02x}.{self.function}"
