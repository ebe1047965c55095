"""Looking at disks and initramfs from outside."""

import os
import subprocess
from pathlib import Path

import pytest

from lab import cpio, diskcontent
from lab.errors import LabError
from lab.shell import run

OFFSET = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Some files."""
    root = tmp_path / "files"
    (root / "etc").mkdir(parents=True)
    (root / "etc/plain").write_text("words\n")
    (root / "etc/plain").chmod(0o640)
    (root / "etc/link").symlink_to("plain")
    return root


def disk_of(folder: Path) -> Path:
    disk = folder.with_name("disk.raw")
    run(["truncate", "-s", "8M", disk])
    run(["mke2fs", "-q", "-t", "ext4", "-E", f"offset={OFFSET}", "-d", folder, disk, "6M"])
    return disk


def test_all_that_is_on_a_disk_is_seen_with_content_mode_owner_and_links(folder: Path, tmp_path: Path) -> None:
    found = diskcontent.tree(diskcontent.extract(disk_of(folder), OFFSET, tmp_path / "seen"))
    expected = diskcontent.tree(folder)
    assert {path: found[path] for path in expected} == expected
    assert found.keys() - expected.keys() == {"lost+found"}


def test_a_disk_that_was_not_unmounted_in_order_is_refused(folder: Path, tmp_path: Path) -> None:
    disk = disk_of(folder)
    run(["debugfs", "-w", "-R", "feature needs_recovery", f"{disk}?offset={OFFSET}"])
    with pytest.raises(LabError, match="switch the machine off"):
        diskcontent.extract(disk, OFFSET, tmp_path / "seen")


def archive(folder: Path) -> bytes:
    names = "\n".join(str(path.relative_to(folder)) for path in sorted(folder.rglob("*")))
    argv = ["cpio", "--quiet", "-o", "-H", "newc"]
    return subprocess.run(argv, cwd=folder, input=names.encode(), capture_output=True, check=True).stdout


def test_an_initramfs_of_a_plain_and_a_compressed_archive_is_read_whole_and_without_times(
    folder: Path, tmp_path: Path
) -> None:
    image = tmp_path / "initrd"
    early = tmp_path / "early"
    (early / "kernel").mkdir(parents=True)

    def made() -> dict[str, diskcontent.Thing]:
        packed = subprocess.run(["zstd", "-qc"], input=archive(folder), capture_output=True, check=True).stdout
        image.write_bytes(archive(early) + packed)
        return cpio.content(image)

    first = made()
    assert set(first) == {"kernel", "etc", "etc/plain", "etc/link"}
    os.utime(folder / "etc/plain", (1, 1))
    assert made() == first
    (folder / "etc/plain").write_text("other\n")
    assert made() != first


def test_what_is_no_initramfs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "initrd").write_bytes(b"GIF89a")
    with pytest.raises(LabError, match="byte 0: neither cpio nor zstd"):
        cpio.content(tmp_path / "initrd")
