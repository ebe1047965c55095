"""What a captured host shows, next to the kernel it was taken from: texts, links and errnos, and nothing else."""

import errno
import uuid
from collections.abc import Callable

import pytest
from libvf_agent.capture.look import capture
from libvf_agent.sysfs import Files
from libvf_api.capture import BadCapture, Capture, above, pack

from tests.fakekernel.captured import captured
from tests.fakekernel.host import FakeHost
from tests.fakekernel.tree import File, fail
from tests.unit.agent.capture import hosts
from tests.unit.agent.capture.hosts import HOSTS

SALT = uuid.UUID("00000000-0000-4000-8000-000000000001")
# of these only a part is taken
REDUCED = ("proc/cmdline", "proc/driver/nvidia/version", "meminfo")


def taken(make: Callable[[], FakeHost]) -> tuple[FakeHost, Capture, FakeHost]:
    """The host, its capture, and what is shown of that."""
    host = make()
    capture_ = capture(host, SALT)
    return host, capture_, captured(pack(capture_))


def answer(do: Callable[[str], object], path: str) -> object:
    """What a call says, or the errno it fails with."""
    try:
        return do(path)
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def everything(files: Files, path: str = "") -> set[str]:
    """Every path below, links not followed."""
    found: set[str] = set()
    names = answer(files.names, path)
    for name in names if isinstance(names, list) else []:
        below = f"{path}/{name}" if path else name
        found.add(below)
        if answer(files.link, below) == "EINVAL":
            found |= everything(files, below)
    return found


@pytest.mark.parametrize("make", HOSTS.values(), ids=HOSTS)
def test_every_file_says_or_refuses_what_the_kernels_did(make: Callable[[], FakeHost]) -> None:
    host, capture_, shown = taken(make)
    whole = [path for path in capture_.files if not path.endswith(REDUCED)]
    refused = [*capture_.manifest.refused, *capture_.manifest.write_only]
    assert len(whole) > 5
    for path in (*whole, *refused):
        assert answer(shown.read, path) == answer(host.read, path), path


@pytest.mark.parametrize("make", HOSTS.values(), ids=HOSTS)
def test_every_link_reads_as_the_kernels_and_leads_to_a_folder_that_is_there(make: Callable[[], FakeHost]) -> None:
    host, capture_, shown = taken(make)
    for path in capture_.manifest.links:
        assert shown.link(path) == host.link(path)
        assert shown.real(path) == host.real(path)
        assert isinstance(answer(shown.names, path), list)


@pytest.mark.parametrize("make", HOSTS.values(), ids=HOSTS)
def test_nothing_is_there_that_was_not_taken(make: Callable[[], FakeHost]) -> None:
    host, capture_, shown = taken(make)
    manifest = capture_.manifest
    told = {
        *capture_.files, *manifest.links, *manifest.refused, *manifest.write_only, *manifest.nodes,
        *manifest.folders, *manifest.unlisted,
    }  # fmt: skip
    there = everything(shown)
    assert there == told | {folder for path in told for folder in above(path)}
    assert there < everything(host), "and all of it is the host's"


@pytest.mark.parametrize("make", HOSTS.values(), ids=HOSTS)
def test_every_file_refuses_to_be_written(make: Callable[[], FakeHost]) -> None:
    _, capture_, shown = taken(make)
    for path in (*capture_.files, *capture_.manifest.refused, *capture_.manifest.write_only):
        assert answer(lambda path: shown.write(path, "1"), path) == "EACCES"
    assert answer(lambda path: shown.write(path, "1"), "sys/not/there") == "ENOENT"


def test_a_folder_that_may_not_be_listed_refuses_again() -> None:
    folder = f"{hosts.ROOT_PORT}/{hosts.L40S_VF}/nvidia"

    class Shut(FakeHost):
        def names(self, path: str) -> list[str]:
            if path == folder:
                raise fail(errno.EACCES, path)
            return super().names(path)

    host = Shut()
    host.tree = hosts.with_nvidia_vfio().tree
    capture_ = capture(host, SALT)
    assert capture_.manifest.unlisted == {folder: "EACCES"}
    shown = captured(pack(capture_))
    assert answer(shown.names, folder) == "EACCES"
    assert answer(shown.names, f"{hosts.PCI}/{hosts.L40S_VF}/nvidia") == "EACCES"


def test_a_file_beyond_its_limit_is_refused_by_name() -> None:
    host = hosts.with_nvidia_vfio()
    path = f"{hosts.ROOT_PORT}/{hosts.L40S_VF}/nvidia/creatable_vgpu_types"
    host.tree.put(path, File(read=lambda: "1147 : NVIDIA L40S-1Q\n" * 4000))
    capture_ = capture(host, SALT)
    assert capture_.manifest.refused[path] == "EFBIG"
    assert answer(captured(pack(capture_)).read, path) == "EFBIG"


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(BadCapture, match="make it again with kubectl vf capture"):
        captured(b"")
