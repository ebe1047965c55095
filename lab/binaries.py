"""Kubernetes, etcd and containerd, built from Go modules: nothing prebuilt is downloaded."""

import os
from pathlib import Path

from lab import cache
from lab.shell import run

KUBERNETES = "v1.37.2"
SOURCE = Path(__file__).parent / "programs"

_PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl")
_CONTAINERD = "github.com/containerd/containerd/v2/cmd"


def binaries() -> Path:
    """The folder of programs: kube-*, kubelet, kubectl, etcd, containerd, its shim and ctr.

    $LIBVF_BINARIES names one that is there already.
    """
    given = os.environ.get("LIBVF_BINARIES")
    return Path(given) if given else cache.entry("binaries", cache.key_of(SOURCE, KUBERNETES), _build)


def _build(folder: Path) -> None:
    major, minor, _ = KUBERNETES.removeprefix("v").split(".")
    version = "k8s.io/component-base/version"
    # without a version of its own the API server calls itself v0.0.0 and refuses to start
    stamp = f"-s -w -X {version}.gitVersion={KUBERNETES} -X {version}.gitMajor={major} -X {version}.gitMinor={minor}"
    _go_build(folder / "controlplane", stamp, ".")
    for name in _PROGRAMS:
        (folder / name).symlink_to("controlplane")
    _go_build(folder / "etcd", "-s -w", "go.etcd.io/etcd/server/v3")
    for name in ("containerd", "ctr", "containerd-shim-runc-v2"):
        _go_build(folder / name, "-s -w", f"{_CONTAINERD}/{name}")


def _go_build(output: Path, ldflags: str, package: str) -> None:
    run(
        ["go", "build", "-trimpath", "-ldflags", ldflags, "-o", output.resolve(), package],
        cwd=SOURCE,
        env={"CGO_ENABLED": "0"},
    )
