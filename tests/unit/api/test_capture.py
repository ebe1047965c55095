"""The archive of a capture: the same bytes for the same capture, and any bytes are a capture or a refusal."""

import gzip
import io
import tarfile
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libvf_api.capture import FORMAT, MANIFEST, BadCapture, Capture, Manifest, pack, unpack

from tests.fakekernel.captured import captured

Json = dict[str, Any]

HOST = Capture(
    Manifest(
        format=FORMAT,
        agent="0.1.0",
        kernel="6.12.9",
        files=2,
        folders=("sys/class/vfio",),
        links={"sys/bus/pci/devices/0000:65:00.0": "sys/devices/pci0000:64/0000:65:00.0"},
        refused={"sys/devices/pci0000:64/0000:65:00.0/nvidia/placement_id": "ENXIO"},
        unlisted={"sys/devices/pci0000:64/0000:65:00.0/drm": "EACCES"},
        write_only=("sys/devices/pci0000:64/0000:65:00.0/remove",),
        nodes=("dev/kvm",),
    ),
    {"sys/devices/pci0000:64/0000:65:00.0/vendor": "0x10de\n", "proc/cmdline": "iommu=pt\n"},
)


def archive(*members: tuple[str, bytes]) -> bytes:
    """A tar with these, gzipped."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


def manifest(**changes: object) -> bytes:
    """The manifest of an empty capture but for these."""
    return msgspec.json.encode({"format": FORMAT, "agent": "0", "kernel": "6", **changes})


def reads_or_refuses(data: bytes) -> None:
    """Every value that is read makes a host that can be walked."""
    try:
        capture = unpack(data)
    except BadCapture:
        return
    host = captured(pack(capture))
    for path in (*capture.files, *capture.manifest.links, *capture.manifest.refused, *capture.manifest.write_only):
        assert path.rpartition("/")[2] in host.names(path.rpartition("/")[0])
    for path in capture.manifest.links:
        host.exists(path)


def test_what_was_packed_is_unpacked() -> None:
    assert unpack(pack(HOST)) == HOST


def test_the_same_capture_makes_the_same_bytes_in_whatever_order_it_was_seen() -> None:
    turned = Capture(HOST.manifest, dict(reversed(HOST.files.items())))
    assert pack(turned) == pack(HOST)


def test_an_archive_tells_neither_when_nor_by_whom_it_was_made() -> None:
    data = pack(HOST)
    assert data[4:8] == bytes(4), "gzip's time"
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = tar.getmembers()
    assert [m.name for m in members] == [MANIFEST, *sorted(f"files/{path}" for path in HOST.files)]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}


@pytest.mark.parametrize(
    "members",
    [
        [],
        [("other.json", manifest())],
        [(MANIFEST, b"{")],
        [(MANIFEST, manifest(format="1"))],
        [(MANIFEST, manifest(links=[]))],
        [(MANIFEST, b"[" * 100_000)],
        [(MANIFEST, manifest()), (MANIFEST, manifest())],
        [(MANIFEST, manifest()), ("etc/passwd", b"")],
        [(MANIFEST, manifest(files=1))],
        [(MANIFEST, manifest(files=1)), ("files/../etc/passwd", b"")],
        [(MANIFEST, manifest(files=1)), ("files//etc/passwd", b"")],
        [(MANIFEST, manifest(files=1)), ("files/a", b"\xff")],
        [(MANIFEST, manifest(files=1)), ("files/a", b"x" * (65 << 10))],
        [(MANIFEST, manifest(files=2)), ("files/a", b""), ("files/a/b", b"")],
        [(MANIFEST, manifest(files=1, links={"a": "b"})), ("files/a", b"")],
        [(MANIFEST, manifest(files=1, folders=["a"])), ("files/a", b"")],
        [(MANIFEST, manifest(folders=["a", "a/.."]))],
        [(MANIFEST, manifest(folders=["/a"]))],
        [(MANIFEST, manifest(folders=["ä"]))],
        [(MANIFEST, manifest(links={"a": "../b"}))],
        [(MANIFEST, manifest(links={"a": "a"}))],
        [(MANIFEST, manifest(links={"a": "b", "b": "a"}))],
        [(MANIFEST, manifest(links={"a": "b/c", "b": "d"}))],
        [(MANIFEST, manifest(refused={"a": "EWHATEVER"}))],
        [(MANIFEST, manifest(nodes=["a"], writeOnly=["a"]))],
    ],
)
def test_what_no_tree_can_be_made_of_is_refused(members: list[tuple[str, bytes]]) -> None:
    with pytest.raises(BadCapture, match="no capture"):
        unpack(archive(*members))


def test_another_format_is_told_apart_from_what_is_broken() -> None:
    with pytest.raises(BadCapture, match="a capture of format 2, this reads 1: use the libvf that made it"):
        unpack(archive((MANIFEST, manifest(format=2, links="what a later version may write"))))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_only_plain_files_are_taken_out_of_an_archive(kind: bytes) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        member = tarfile.TarInfo("files/a")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(BadCapture, match="files/a is no plain file"):
        unpack(target.getvalue())


def test_an_archive_that_came_in_part_is_refused_wherever_it_was_cut() -> None:
    data = pack(HOST)
    for length in range(0, len(data), 7):
        with pytest.raises(BadCapture):
            unpack(data[:length])


def test_what_unpacks_to_very_much_is_not_unpacked_to_its_end() -> None:
    grown = gzip.compress(bytes(1 << 20)) * 300
    with pytest.raises(BadCapture, match="unpacks to more than 256 MiB"):
        unpack(pack(HOST) + grown)


@settings(deadline=None)  # the machine may be busy
@given(st.binary())
def test_any_bytes_are_a_capture_or_a_refusal(data: bytes) -> None:
    reads_or_refuses(data)
    reads_or_refuses(gzip.compress(data))


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=64))
def test_an_archive_with_other_bytes_somewhere_is_a_capture_or_a_refusal(place: int, patch: bytes) -> None:
    for data, again in ((gzip.decompress(pack(HOST)), gzip.compress), (pack(HOST), _same)):
        start = place % len(data)
        reads_or_refuses(again(data[:start] + patch + data[start + len(patch) :]))


NAMES = st.sampled_from(["a", "b", "a/b", "b/c", "a/b/c", "", "..", "x" * 600, "ENOENT"])
ANYTHING = st.one_of(
    st.lists(NAMES, max_size=4), st.dictionaries(NAMES, NAMES, max_size=4), st.integers(), st.text(), st.none()
)
KEYS = ("files", "folders", "links", "refused", "unlisted", "writeOnly", "nodes", "format", "kernel")


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING), st.dictionaries(NAMES, st.binary(max_size=8), max_size=3))
def test_any_manifest_is_a_capture_or_a_refusal(changes: Json, files: dict[str, bytes]) -> None:
    members = ((f"files/{path}", content) for path, content in files.items())
    reads_or_refuses(archive((MANIFEST, manifest(**{"files": len(files), **changes})), *members))


def _same(data: bytes) -> bytes:
    return data
