"""Folders shared with the guest by virtiofs: a virtiofsd for each, without any privilege."""

from collections.abc import Iterator

from libvf_api import names
from libvf_api.launch import Launch
from libvf_api.v1alpha1 import Filesystem

from libvf_launcher.companion import Companion
from libvf_launcher.paths import Paths

_IDS = 2**32 - 1  # uids and gids, but for -1


def arguments(launch: Launch, paths: Paths) -> Iterator[str]:
    """A device for each, its name the tag that the guest mounts."""
    for folder in launch.spec.filesystems or ():
        yield from ("-chardev", f"socket,id=fs-{folder.name},path={paths.share_socket(folder.name)}")
        yield from ("-device", f"vhost-user-fs-pci,chardev=fs-{folder.name},tag={folder.name}")


def beside(launch: Launch, paths: Paths) -> Iterator[Companion]:
    """A virtiofsd for each."""
    for folder in launch.spec.filesystems or ():
        socket = paths.share_socket(folder.name)
        yield Companion(f"virtiofsd of filesystem {folder.name}", tuple(_argv(folder, paths)), socket)


def _argv(folder: Filesystem, paths: Paths) -> Iterator[str]:
    """The container is the sandbox: virtiofsd's own wants capabilities.

    What it makes is uid 107's, and only that it may use. So all guest users are that one on the host, and what that one
    has on the host is the owner's in the guest: else the guest's kernel would refuse to its users what the host grants.
    """
    yield str(paths.virtiofsd)
    yield from ("--shared-dir", str(paths.share(folder.name)), "--socket-path", str(paths.share_socket(folder.name)))
    yield from ("--sandbox", "none", "--log-level", "warn")
    for kind in ("uid", "gid"):
        for rule in _mapping(folder.owner or 0):
            yield from (f"--translate-{kind}", rule)
    if folder.read_only:
        yield "--readonly"


def _mapping(owner: int) -> Iterator[str]:
    """virtiofsd's rules are type:source:target:count; the last id, -1, is none."""
    yield f"map:{owner}:{names.QEMU_ID}:1"
    if owner:
        yield f"squash-guest:0:{names.QEMU_ID}:{owner}"
    yield f"squash-guest:{owner + 1}:{names.QEMU_ID}:{_IDS - owner - 1}"
