"""What the launcher has done apart from itself, and what it does not keep for as long as the VM runs."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from libvf_launcher import apart
from libvf_launcher.companion import Companion
from libvf_launcher.errors import DeviceMissing
from libvf_launcher.prepared import Prepared

PREPARED = Prepared(["qemu", "-m", "64M"], [Companion("swtpm", ("swtpm", "socket"), Path("/run/tpm"))], 175.0, 2)

# as the launcher begins; what it names on its output is what it should not have in memory
KEPT = """
import sys
from libvf_launcher import __main__, apart, openssl
openssl.keep_out()
from libvf_launcher import lifecycle
heavy = ("_ssl", "libvf_api.v1alpha1", "libvf_api.launch", "libvf_launcher.preparation", "tempfile", "hashlib")
print(*[name for name in heavy if name in sys.modules])
"""


def _refuse() -> Prepared:
    raise DeviceMissing("there is no gpu0")


def _fail() -> Prepared:
    raise KeyError("a fault of ours")


def test_what_was_prepared_comes_back_and_the_child_is_gone() -> None:
    begun = apart.begin(lambda: (os.getpid(), PREPARED))
    pid, prepared = asyncio.run(begun.result())
    assert prepared == PREPARED
    assert pid != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_launch_that_is_refused_there_is_refused_here() -> None:
    with pytest.raises(DeviceMissing, match="there is no gpu0"):
        asyncio.run(apart.begin(_refuse).result())


def test_a_fault_of_ours_is_told_by_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="for the reason above"):
        asyncio.run(apart.begin(_fail).result())
    assert "KeyError: 'a fault of ours'" in capfd.readouterr().err


def test_what_prepares_and_openssl_are_not_kept() -> None:
    done = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
