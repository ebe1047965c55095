"""A Pod's network, and an outside beside it, as two namespaces of this machine."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HOOKS = Path(__file__).parents[3] / "host-agent" / "hook"
POD, OUTSIDE, MTU = "10.9.0.2", "10.9.0.1", 1450
_FETCH = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).read().decode().strip())"


class PodNetwork:
    """The namespace `pod`, with the link eth0 that leads to the namespace `outside`; and a process in the first."""

    def __init__(self, name: str) -> None:
        self.pod, self.outside = f"{name}-pod", f"{name}-out"
        self._holder: subprocess.Popen[bytes] | None = None

    @contextmanager
    def up(self) -> Iterator["PodNetwork"]:
        """Both with their addresses; gone afterwards."""
        with ExitStack() as undo:
            for name in (self.pod, self.outside):
                _ip("netns", "add", name)
                undo.callback(_ip, "netns", "delete", name)
                _ip("-n", name, "link", "set", "lo", "up")
            _ip("link", "add", "link0", "netns", self.outside, "type", "veth", "peer", "eth0", "netns", self.pod)
            for name, link, address in ((self.outside, "link0", OUTSIDE), (self.pod, "eth0", POD)):
                _ip("-n", name, "address", "add", f"{address}/24", "dev", link)
                _ip("-n", name, "link", "set", link, "mtu", str(MTU), "up")
            _ip("-n", self.pod, "route", "add", "default", "via", OUTSIDE)
            self._holder = undo.enter_context(subprocess.Popen([*within(self.pod), "cat"], stdin=subprocess.PIPE))
            yield self

    def hook(self, program: Path, *arguments: str, pid: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run a hook as the container runtime does for a container of this Pod, or of another process."""
        assert self._holder
        state = json.dumps({"ociVersion": "1.2.0", "pid": pid or self._holder.pid})
        return subprocess.run([program, *arguments], input=state, capture_output=True, text=True)

    def said(self, *argv: str) -> str:
        """What a program prints in the Pod's network."""
        return subprocess.run([*within(self.pod), *argv], capture_output=True, text=True, check=True).stdout

    @contextmanager
    def serving(self, folder: Path) -> Iterator[Path]:
        """The folder by HTTP outside, on port 8000; yields the file in which each request is logged."""
        log = folder.with_suffix(".log")
        argv = [sys.executable, "-m", "http.server", "8000", "--bind", OUTSIDE, "--directory", str(folder)]
        with log.open("w") as out, subprocess.Popen([*within(self.outside), *argv], stdout=out, stderr=out) as server:
            try:
                yield log
            finally:
                server.terminate()


def fetched(namespace: str, url: str) -> str:
    """A page asked for from within a namespace; empty where there is no answer."""
    argv = [*within(namespace), sys.executable, "-c", _FETCH, url]
    return subprocess.run(argv, capture_output=True, text=True).stdout.strip()


def answered(namespace: str, url: str) -> bool:
    """Whether who asks there from within a namespace is told that all is well."""
    argv = [*within(namespace), sys.executable, "-c", _FETCH, url]
    return subprocess.run(argv, capture_output=True).returncode == 0


def within(namespace: str) -> list[str]:
    """The argv prefix that runs a program in a namespace."""
    return ["ip", "netns", "exec", namespace]


def compiled(name: str, folder: Path) -> Path:
    """One of the static hooks."""
    binary = folder / name
    flags = ["-static", "-Os", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", binary, HOOKS / f"{name}.c"], check=True)
    return binary


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
