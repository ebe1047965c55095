"""The door to the host's programs: systemctl, kubectl, nft and the like, ours before the host's own."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

from libvf_workstation.api import Api
from libvf_workstation.errors import CommandFailed
from libvf_workstation.layout import Layout
from libvf_workstation.progress import say

SECONDS = 900.0
# what kubectl says of a server that has just started, on a host that is slow
_BUSY = (
    *("(Timeout)", "(ServiceUnavailable)", "(TooManyRequests)", "etcdserver: request timed out"),
    *("connection refused", "TLS handshake timeout", "i/o timeout", "context deadline exceeded"),
)
_PAUSES = (5.0, 10.0, 20.0, 30.0)


@dataclass(frozen=True, slots=True)
class Host:
    """Runs programs as root."""

    layout: Layout

    def run(self, argv: Sequence[object], stdin: str | None = None) -> str:
        """Runs a program to its end; returns what it printed, raises CommandFailed with its last words."""
        words = [str(word) for word in argv]
        done = self._done(words, stdin)
        if done.returncode:
            raise CommandFailed(words, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def does(self, *argv: object) -> bool:
        """Whether a program ends well."""
        try:
            self.run(argv)
        except CommandFailed:
            return False
        return True

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """kubectl as the administrator of our own cluster."""
        return self.run(["kubectl", f"--kubeconfig={self.layout.kubeconfig}", *arguments], stdin)

    def apply(self, *arguments: str, stdin: str | None = None) -> None:
        """`kubectl apply`, again where the API server was too busy to answer in time: what it has taken it keeps."""
        for pause in (*_PAUSES, None):
            try:
                self.kubectl("apply", *arguments, stdin=stdin)
                return
            except CommandFailed as error:
                if pause is None or not any(words in str(error) for words in _BUSY):
                    raise
                last = str(error).splitlines()[-1].strip()
                say(f"the API server is busy, and is asked again in {pause:.0f} s: {last}")
                time.sleep(pause)

    @property
    def api(self) -> Api:
        """Our API server, read without kubectl."""
        return Api(self.layout.kubeconfig)

    def _done(self, words: list[str], stdin: str | None) -> subprocess.CompletedProcess[str]:
        path = f"{self.layout.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        try:
            return subprocess.run(
                words,
                # kubectl would keep what it learns of the API in root's home
                env={
                    **os.environ,
                    "PATH": path,
                    "LC_ALL": "C.UTF-8",
                    "KUBECACHEDIR": _cache(),
                },
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
            )
        except FileNotFoundError as error:
            raise CommandFailed(words, 127, f"there is no program {words[0]}") from error
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(words, 124, f"not done within {SECONDS:.0f} s") from error


@functools.cache
def _cache() -> str:
    """A folder for this run alone."""
    folder = tempfile.mkdtemp(prefix="libvf-kubectl-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
