"""Frames and sound through shared memory: written by a Linux guest as Looking Glass and Scream do, and read."""

import array
import json
import shutil
import wave
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libvf_api import screens
from libvf_launcher import kvmfr, scream
from PIL import Image

from lab.initramfs import kernel_release
from lab.noderoot import debian_root
from lab.shell import run
from tests.unit.launcher.test_life import Running, launch

__all__ = ["launch"]
SOURCE = Path(__file__).parent / "guest" / "sharing.c"
DISK_MIB = 20
PATIENCE = 180  # seconds: an emulated Linux boots
COMMAND_LINE = "console=ttyS0 quiet mitigations=off tsc=reliable no_timer_check cryptomgr.notests panic=-1"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk that boots Debian's kernel with the test guest as its first program."""
    folder, root = tmp_path_factory.mktemp("guest"), debian_root()
    for name in ("root/dev", "root/sys"):
        (folder / name).mkdir(parents=True)
    build = ["gcc", "-static", "-Os", "-Wall", "-Wextra", "-Werror", "-o", folder / "root/init", SOURCE, "-lm"]
    run(build)
    run(["sh", "-c", f"cd {folder}/root && find . | cpio --quiet -o -H newc > {folder}/initrd"])
    shutil.copy(root / "boot" / f"vmlinuz-{kernel_release(root)}", folder / "vmlinuz")
    entry = f"DEFAULT guest\nPROMPT 0\nLABEL guest\nKERNEL vmlinuz\nINITRD initrd\nAPPEND {COMMAND_LINE}\n"
    (folder / "syslinux.cfg").write_text(entry)
    image = folder / "disk.img"
    run(["truncate", "-s", f"{DISK_MIB}M", image])
    run(["mformat", "-i", image, "-h", "16", "-s", "63", "-T", str(DISK_MIB * 2048), "::"])
    run(["mcopy", "-i", image, *(folder / name for name in ("vmlinuz", "initrd", "syslinux.cfg")), "::"])
    run(["syslinux", "--install", image])
    return image


def test_a_guest_shows_its_frames_and_plays_its_sound(
    launch: Callable[..., Running], disk: Path, tmp_path: Path
) -> None:
    machine = sharing(launch, disk, tmp_path, lookingGlass={"resolution": "1920x1080"})
    assert (machine.paths.shared_memory / "looking-glass").stat().st_size == 32 << 20
    machine.until(lambda: machine.ask("frame", str(tmp_path / "f.png")).returncode == 0, PATIENCE)
    seen(tmp_path / "f.png")
    numbers = {json.loads(machine.ask("frame", str(tmp_path / "f.png")).stdout)["serial"] for _ in range(5)}
    assert len(numbers) > 1  # one frame follows the other
    machine.until(lambda: machine.ask("sound", str(tmp_path / "s.wav"), "1.5").returncode == 0, PATIENCE)
    heard(tmp_path / "s.wav")


def sharing(launch: Callable[..., Running], disk: Path, tmp_path: Path, **spec: Any) -> Running:
    """A machine whose screen goes out by Looking Glass alone, and its sound by Scream."""
    root = tmp_path / "c/volumes/root/disk"
    root.parent.mkdir(parents=True)
    shutil.copy(disk, root)
    drive = {"name": "root", "hostPath": {"path": "/srv/disk.img"}}
    shape = {"memory": {"size": "192Mi"}, "disks": [drive]}
    machine = launch(**shape, display=["lookingGlass"], audio="scream", **spec)
    machine.until(machine.paths.ready.exists)
    early = machine.ask("screenshot", str(tmp_path / "s.png"))
    assert "by Looking Glass alone" in early.stderr
    return machine


def seen(picture: Path) -> None:
    """The picture's red grows to the right and its green downwards, from nothing to all."""
    with Image.open(picture) as image:
        assert image.size == (320, 200)
        corners = [image.getpixel(place) for place in ((0, 0), (319, 0), (0, 199), (319, 199))]
    assert [corner[:2] for corner in corners if isinstance(corner, tuple)] == [(0, 0), (255, 0), (0, 255), (255, 255)]


def heard(file: Path) -> None:
    """Two tones: each channel crosses zero twice a period."""
    with wave.open(str(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (2, 2, 48000)
        samples = array.array("h", sound.readframes(sound.getnframes()))
    seconds = len(samples) / 2 / 48000
    assert seconds > 0.1
    for channel, tone in ((0, 1000), (1, 440)):
        one = samples[channel::2]
        crossings = sum((a < 0) != (b < 0) for a, b in pairwise(one))
        assert crossings / 2 / seconds == pytest.approx(tone, rel=0.05)


@pytest.mark.parametrize(
    ("resolution", "mib"),
    [(None, 128), ("1920x1080", 32), ("2560x1440", 64), ("3840x2160", 128), ("800x600", 16), ("7680x4320", 512)],
)
def test_the_memory_is_what_looking_glass_asks_for(resolution: str | None, mib: int) -> None:
    assert screens.looking_glass_bytes(resolution) == mib << 20


def test_memory_that_nobody_has_written_to_says_what_to_install() -> None:
    empty = memoryview(bytes(1 << 16))
    with pytest.raises(kvmfr.NoFrame, match="install it in the guest"):
        kvmfr.last_frame(empty)
    with pytest.raises(scream.NoSound, match="install it in the guest"):
        scream.ring(empty)


def test_another_version_is_named_with_the_one_that_is_read() -> None:
    memory = bytearray(1 << 16)
    memory[0:8] = b"LGMP" + (4).to_bytes(4, "little")
    with pytest.raises(kvmfr.NoFrame, match=r"speaks LGMP 4 .*install B7"):
        kvmfr.last_frame(memoryview(memory))


def test_whatever_a_guest_writes_is_no_more_than_refused() -> None:
    @given(st.binary(max_size=64), st.integers(0, 5800), st.binary(max_size=64), st.integers(0, 12000))
    def check(one: bytes, at: int, two: bytes, place: int) -> None:
        memory = bytearray(1 << 14)
        memory[0:8] = b"LGMP" + (6).to_bytes(4, "little")
        memory[24:28] = (2).to_bytes(4, "little")
        memory[32:36] = (2).to_bytes(4, "little")
        memory[5756:5768] = b"KVMFR---" + (20).to_bytes(4, "little")
        memory[8 + at : 8 + at + len(one)] = one
        memory[place : place + len(two)] = two
        for read, refused in ((kvmfr.last_frame, kvmfr.NoFrame), (scream.ring, scream.NoSound)):
            with suppress(refused):
                read(memoryview(memory))

    check()
