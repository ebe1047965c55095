"""How sound leaves the guest."""

from collections.abc import Iterator
from pathlib import Path

from libvf_api import screens
from libvf_api.launch import Launch

from libvf_launcher import sharedmemory
from libvf_launcher.paths import Paths


def arguments(launch: Launch, paths: Paths) -> Iterator[str]:
    """A sound card that plays through SPICE, or memory that Scream's driver in the guest writes to."""
    if launch.spec.audio == "spice":
        yield from ("-audiodev", "spice,id=sound")
        yield from ("-device", "intel-hda,id=hda", "-device", "hda-duplex,bus=hda.0,audiodev=sound")
    if launch.spec.audio == "scream":
        yield from sharedmemory.arguments("scream", file(paths), screens.SCREAM_BYTES)


def file(paths: Paths) -> Path:
    """What a Scream receiver opens."""
    return paths.shared_memory / "scream"
