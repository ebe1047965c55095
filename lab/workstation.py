"""The one file that makes a host a workstation: a Python program, and all that it installs, in one zip.

Python runs a zip by its `__main__.py` (zipapp(3)). In it are the code of libvf_workstation and two tar archives that it
unpacks on the host: the programs with the manifests, and containerd's folder with every image unpacked.
"""

import json
import shutil
import tempfile
import zipfile
from pathlib import Path

from libvf_workstation.payload import ABOUT, IMAGES, PROGRAMS

from lab import cache, packages, provisioner
from lab.binaries import KUBERNETES, binaries
from lab.guest.build import guest_disk
from lab.imagedisk import import_images
from lab.images import build_images
from lab.noderoot import SUITE, debian_root
from lab.progress import step
from lab.shell import run
from lab.testbed import REPOSITORY

KUBERNETES_PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl")
PROGRAMS_ALONE = ("controlplane", "etcd", "containerd", "containerd-shim-runc-v2", "ctr")
PLUGINS = ("bridge", "host-local", "loopback")
# what a bare Debian may lack, run from a folder by its own loader
TOOLS = {"nft": "usr/sbin/nft", "ip": "usr/bin/ip", "openssl": "usr/bin/openssl"}
TOOL_PACKAGES = "nftables,iproute2,openssl"
MANIFESTS = ("manifests", "crds", "examples")
_MAIN = "import sys\n\nfrom libvf_workstation.__main__ import main\n\nsys.exit(main())\n"
_START = """\
#!/bin/sh
root=$(dirname "$(dirname "$(readlink -f "$0")")")/tools
export OPENSSL_CONF=$root/etc/ssl/openssl.cnf
exec "$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" "$root/{program}" "$@"
"""


def write(file: Path) -> None:
    """Writes the bundle, and makes what the cache lacks of it."""
    packages.install_missing()
    archives = build_images(REPOSITORY, {"demo-guest": guest_disk()}) | {provisioner.REFERENCE: provisioner.archive()}
    images = _images(archives)
    with tempfile.TemporaryDirectory(prefix="libvf-bundle-") as scratch, step(f"writing {file}"):
        programs = _programs(Path(scratch))
        beside = file.with_name(f".{file.name}.new")
        # images do not shrink much, and a host reads them faster than it expands them
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as bundle:
            bundle.writestr("__main__.py", _MAIN)
            for path in sorted((REPOSITORY / "cli" / "libvf_workstation").glob("*.py")):
                bundle.write(path, f"libvf_workstation/{path.name}")
            bundle.write(programs, PROGRAMS)
            bundle.write(images, IMAGES)
            bundle.writestr(ABOUT, json.dumps({"kubernetes": KUBERNETES, "debian": SUITE}))
        beside.replace(file)


def _programs(scratch: Path) -> Path:
    """All that is run on the host but the images, as it will be below its folder."""
    root = scratch / "root"
    for folder in ("bin", "cni"):
        (root / folder).mkdir(parents=True)
    for name in PROGRAMS_ALONE:
        shutil.copy(binaries() / name, root / "bin" / name)
    for name in KUBERNETES_PROGRAMS:
        (root / "bin" / name).symlink_to("controlplane")
    shutil.copy(debian_root() / "usr/sbin/runc", root / "bin" / "runc")
    for name in PLUGINS:
        shutil.copy(debian_root() / "usr/lib/cni" / name, root / "cni" / name)
    run(["cp", "-a", _tools(), root / "tools"])
    for name, program in TOOLS.items():
        start = root / "bin" / name
        start.write_text(_START.format(program=program))
        start.chmod(0o755)
    for name in MANIFESTS:
        shutil.copytree(REPOSITORY / name, root / name)
    return _packed(root, scratch / "programs.tar")


def _tools() -> Path:
    key = cache.key_of(SUITE, TOOL_PACKAGES)
    return cache.entry("workstation-tools", key, _extract_tools) / "root"


def _extract_tools(folder: Path) -> None:
    root = folder / "root"
    run(["mmdebstrap", "--variant=extract", f"--include={TOOL_PACKAGES}", SUITE, root])
    for unneeded in ("usr/share", "var", "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/systemd"):
        shutil.rmtree(root / unneeded, ignore_errors=True)


def _images(archives: dict[str, Path]) -> Path:
    parts = [part for reference, archive in sorted(archives.items()) for part in (reference, archive.parent.name)]
    key = cache.key_of(binaries().name, *parts)

    def build(folder: Path) -> None:
        # layers are kept unpacked alone: a bundle of half the size
        import_images(folder / "containerd", archives, "--discard-unpacked-layers")
        _packed(folder / "containerd", folder / "images.tar")
        shutil.rmtree(folder / "containerd")

    return cache.entry("workstation-images", key, build) / "images.tar"


def _packed(root: Path, archive: Path) -> Path:
    run(["tar", "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-cf", archive, "."])
    return archive
