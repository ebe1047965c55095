"""Looking Glass: frames of the GPU's own screen, through memory shared with the guest."""

from collections.abc import Iterator
from pathlib import Path

from libvf_api import screens
from libvf_api.launch import Launch
from libvf_api.v1alpha1 import LookingGlass

from libvf_launcher import graphics, sharedmemory
from libvf_launcher.paths import Paths


def arguments(launch: Launch, paths: Paths) -> Iterator[str]:
    """The first shared memory, where Looking Glass's program in the guest looks for it by default."""
    if "lookingGlass" in graphics.ways(launch):
        size = screens.looking_glass_bytes((launch.spec.looking_glass or LookingGlass()).resolution or None)
        yield from sharedmemory.arguments("looking-glass", file(paths), size)


def file(paths: Paths) -> Path:
    """What a Looking Glass client opens."""
    return paths.shared_memory / "looking-glass"
