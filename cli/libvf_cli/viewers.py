"""Programs on this machine that show a screen: which there are, and how each is started. Pure but for PATH."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from libvf_cli.errors import NoProgram
from libvf_cli.forward import HOST, Where

VNC = ("remote-viewer", "vncviewer", "gvncviewer")
SPICE = ("remote-viewer", "spicy")
LOOKING_GLASS = "looking-glass-client"
SCREAM = "scream"


@dataclass(frozen=True, slots=True)
class Shared:
    """The memory that a guest shares with its host, as files of the node; `socket` is where SPICE listens here."""

    frames: str
    sound: str = ""
    socket: str = ""


def found(names: tuple[str, ...], given: str = "") -> str:
    """The first that is there, or the one that was named; NoProgram with the cure."""
    wanted = (given,) if given else names
    for name in wanted:
        if shutil.which(name):
            return name
    raise NoProgram(
        f"there is no {' nor '.join(wanted)} on PATH: install one, or name yours with --viewer, or use --port"
    )


def vnc(program: str, where: Where) -> list[str]:
    """How a viewer is started for VNC on a port of the loopback."""
    match program.rpartition("/")[2]:
        case "remote-viewer":
            return [program, where.address("vnc")]
        case "gvncviewer":  # it reckons displays from 5900
            return [program, f"{HOST}:{where.port - 5900}"]
        case _:  # a second colon is a port, as of TigerVNC, TightVNC and RealVNC
            return [program, f"{HOST}::{where.port}"]


def spice(program: str, where: Where) -> list[str]:
    """How a viewer is started for SPICE."""
    if program.rpartition("/")[2] == "spicy":
        return [program, f"--uri={where.address('spice')}"]
    return [program, where.address("spice")]


def looking_glass(program: str, shared: Shared) -> list[str]:
    """Looking Glass's client: frames from the file, keys and pointer by SPICE where the VM has it."""
    spice = ["-c", shared.socket, "-p", "0"] if shared.socket else ["-s"]
    return [program, "-f", shared.frames, *spice]


def scream(shared: Shared) -> list[str]:
    """Scream's receiver on shared memory."""
    return [SCREAM, "-m", shared.sound]
