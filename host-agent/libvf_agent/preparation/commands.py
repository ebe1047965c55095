"""The host's programs: the only door to them while a host is prepared."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Protocol

from libvf_agent.errors import CommandFailed

# an initramfs for every kernel of a slow host
DEADLINE_SECONDS = 1800.0
LINES_TOLD = 8
# a user's own path lacks sbin on some hosts, a container's is another's
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Commands(Protocol):
    """Runs a program of the host to its end; CommandFailed where it says no."""

    def run(self, argv: tuple[str, ...]) -> None:
        """Runs it."""
        ...


class HostCommands:
    """Programs of the host below `root`; of another root than / by chroot, as from a container that mounts it."""

    def __init__(self, root: Path) -> None:
        self._prefix = () if root.resolve() == Path("/") else ("chroot", str(root))

    def run(self, argv: tuple[str, ...]) -> None:
        """Runs it; its output is shown only where it fails."""
        told = shlex.join(argv)
        try:
            done = subprocess.run(
                (*self._prefix, *argv),
                env={**os.environ, "PATH": _PATH, "LC_ALL": "C"},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=DEADLINE_SECONDS,
            )
        except FileNotFoundError as error:
            raise CommandFailed(f"{told}: there is no such program: install it and run this again") from error
        except OSError as error:
            raise CommandFailed(f"{told}: {error.strerror}: run this as root") from error
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(f"{told}: not done after {DEADLINE_SECONDS:.0f} s: see what it waits for") from error
        if done.returncode:
            output = "\n".join((done.stderr or done.stdout).strip().splitlines()[-LINES_TOLD:])
            raise CommandFailed(
                f"{told}: exit code {done.returncode}: {output}\n"
                "mend this and run it again, it goes on where it stopped; or take it all back with --undo"
            )
        # it is recorded as done next, so what it wrote must survive a power cut, and be where it belongs and not only
        # in the journal: GRUB replays none, and would start what the old menu says
        os.sync()
