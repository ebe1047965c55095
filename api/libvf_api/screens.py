"""What operator and launcher both reckon of a VM's screen and sound, so that neither can differ from the other."""

from collections.abc import Sequence

from libvf_api.names import RUN_FOLDER, SHARED_MEMORY_FOLDER

SCREAM_BYTES = 2 << 20
"""What Scream's own documentation gives its ring: IVSHMEM of 2 MiB."""

_DEFAULT_RESOLUTION = "3840x2160"
_FRAMES = 2
_PIXEL_BYTES = 4
_OVERHEAD = 10 << 20


def ways(mode: str | None, listed: Sequence[str] | None) -> tuple[str, ...]:
    """How the screen can be seen: as spec.display lists, else by VNC; a machine without a screen has none of itself."""
    if listed is None:
        return () if mode == "Headless" else ("vnc",)
    return tuple(listed)


def looking_glass_bytes(resolution: str | None) -> int:
    """The shared memory that frames of this size need: two frames and 10 MiB, up to a power of two.

    The formula is that of Looking Glass's own documentation (IVSHMEM, determining memory); a BAR has such a size.
    """
    width, _, height = (resolution or _DEFAULT_RESOLUTION).partition("x")
    wanted = int(width) * int(height) * _PIXEL_BYTES * _FRAMES + _OVERHEAD
    return 1 << (wanted - 1).bit_length()


def place(way: str) -> dict[str, str]:
    """Where a way to look is found in the launcher: the socket of a server, or the file of shared memory."""
    if way == "lookingGlass":
        return {"file": f"{SHARED_MEMORY_FOLDER}/looking-glass"}
    return {"socket": f"{RUN_FOLDER}/{way}.sock"}
