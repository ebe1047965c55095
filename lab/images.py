"""The cluster's images, built from the Dockerfile that users build from: no registry, no daemon.

buildah runs the Dockerfile with chroot isolation, on a base that mmdebstrap makes and that is tagged as the
Dockerfile's FROM. An image whose inputs have not changed is not built again.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import cache
from lab.progress import step
from lab.shell import run

BASE = "docker.io/library/debian:trixie-slim"
SUITE = "trixie"
TAG = "dev"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# not at its own place: the build installs a bundle there
CERTIFICATES_INSIDE = Path("/etc/host-certificates.crt")

# what each image is made from, beside the Dockerfile
INPUTS = {
    "operator": ("requirements/operator.txt", "api/libvf_api", "operator/libvf_operator"),
    "agent": ("requirements/agent.txt", "api/libvf_api", "host-agent/libvf_agent", "host-agent/hook"),
    "gateway": ("requirements/gateway.txt", "api/libvf_api", "gateway/libvf_gateway"),
    "launcher": ("requirements/launcher.txt", "api/libvf_api", "launcher/libvf_launcher"),
}


@dataclass(frozen=True, slots=True)
class Buildah:
    """buildah with a storage of the lab's own."""

    storage: Path

    def __call__(self, *arguments: str | Path) -> str:
        """Run one buildah command; returns what it printed, stripped."""
        stores = ["--root", self.storage / "store", "--runroot", self.storage / "run"]
        environment = {"STORAGE_DRIVER": "overlay", "BUILDAH_ISOLATION": "chroot"}
        return run(["buildah", *stores, *arguments], env=environment).strip()

    def has(self, reference: str) -> bool:
        """Whether the image is in the storage."""
        return bool(self("images", "--quiet", "--filter", f"reference={reference}"))


def build_images(repository: Path, guests: dict[str, Path]) -> dict[str, Path]:
    """Archives of all images that the lab's nodes hold: reference -> docker archive; `guests` are disks by name."""
    archives = {f"libvf.io/{name}:{TAG}": _program(repository, name) for name in INPUTS}
    archives[f"libvf.io/pause:{TAG}"] = _single("pause", Path("/usr/bin/busybox"), "busybox", _PAUSE)
    for name, disk in guests.items():
        archives[f"libvf.io/{name}:{TAG}"] = _single(name, disk, "disk.img", [])
    return archives


_PAUSE = ["--entrypoint", '["/busybox", "sleep", "2147483647"]']


def _program(repository: Path, name: str) -> Path:
    inputs = [repository / part for part in INPUTS[name]]
    key = cache.key_of(repository / "Dockerfile", SUITE, *inputs)
    return cache.entry(f"image-{name}", key, lambda folder: _build(repository, name, folder)) / f"{name}.tar"


def _build(repository: Path, name: str, folder: Path) -> None:
    buildah = storage()
    _base(buildah)
    reference = f"libvf.io/{name}:{TAG}"
    with _host_trust(folder) as volumes:
        options = ["--pull-never", "--layers", "--target", name, "--tag", reference, *volumes]
        buildah("build", *options, "--file", repository / "Dockerfile", repository)
    buildah("push", reference, f"docker-archive:{folder / name}.tar:{reference}")


def _single(name: str, content: Path, called: str, config: list[str]) -> Path:
    """An image of one file."""

    def build(folder: Path) -> None:
        buildah, reference = storage(), f"libvf.io/{name}:{TAG}"
        container = buildah("from", "scratch")
        buildah("copy", container, content, f"/{called}")
        if config:
            buildah("config", *config, container)
        buildah("commit", "--rm", container, reference)
        buildah("push", reference, f"docker-archive:{folder / name}.tar:{reference}")

    key = cache.key_of(content if content.stat().st_size < 1 << 26 else str(content), called, *config)
    return cache.entry(f"image-{name}", key, build) / f"{name}.tar"


def storage() -> Buildah:
    """buildah with its storage, which is made if it is not there."""
    folder = cache.root() / "buildah"
    folder.mkdir(parents=True, exist_ok=True)
    return Buildah(folder)


def _base(buildah: Buildah) -> None:
    """Make the image that the Dockerfile starts from, once."""
    if buildah.has(BASE):
        return
    with step(f"the base image, Debian {SUITE}"):
        archive = buildah.storage / "base.tar"
        run(["mmdebstrap", "--variant=minbase", SUITE, archive])
        container = buildah("from", "scratch")
        buildah("add", container, archive, "/")
        buildah("config", "--cmd", '["bash"]', container)
        buildah("commit", "--rm", container, BASE)
        archive.unlink()


@contextmanager
def _host_trust(folder: Path) -> Iterator[list[str]]:
    """buildah options that lend the build this host's certificates and pip settings, which stay out of the image."""
    settings = folder / "pip.conf"
    values = {"cert": str(CERTIFICATES_INSIDE), **_pip_settings()}
    settings.write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))
    yield [
        *("--volume", f"{settings}:/etc/pip.conf:ro"),
        *(("--volume", f"{CERTIFICATES}:{CERTIFICATES_INSIDE}:ro") if CERTIFICATES.exists() else ()),
    ]
    settings.unlink()


def _pip_settings() -> dict[str, str]:
    """Where this host's pip looks for packages, if it was told."""
    names = ("index-url", "extra-index-url", "trusted-host", "proxy")
    given = {name: os.environ.get(f"PIP_{name.upper().replace('-', '_')}") for name in names}
    pip = shutil.which("pip3") or "pip"
    for name in names:
        asked = subprocess.run([pip, "config", "get", f"global.{name}"], capture_output=True, text=True)
        given[name] = given[name] or (asked.stdout.strip() if asked.returncode == 0 else None)
    return {name: value for name, value in given.items() if value}
