"""What the administrator asks for beyond what every host needs."""

from __future__ import annotations

from dataclasses import dataclass

from libvf_agent.errors import PreparationError

# as Kubernetes writes them, and as the kernel does
SIZES = {"2Mi": "2M", "1Gi": "1G"}


@dataclass(frozen=True, slots=True)
class HugePages:
    """So many pages of one size (`2M` or `1G`, as the kernel writes it), set aside at boot."""

    size: str
    count: int

    @classmethod
    def parse(cls, text: str) -> HugePages:
        """From `2Mi=1024`."""
        size, _, count = text.partition("=")
        if size not in SIZES or not count.isascii() or not count.isdecimal() or int(count) < 1:
            raise PreparationError(f"--hugepages {text}: write 2Mi=NUMBER or 1Gi=NUMBER, for instance 2Mi=4096")
        return cls(SIZES[size], int(count))


@dataclass(frozen=True, slots=True)
class Wishes:
    """Options of the command; `users` are to be members of the group kvm."""

    gvt: bool = False
    xe_max_vfs: int | None = None
    hugepages: tuple[HugePages, ...] = ()
    users: tuple[str, ...] = ()
