"""On the node: when a VM's container began, when its guest ran, what its Pod holds, and QEMU's command line."""

import json
import os
import pathlib
import sys
import time

PROC = pathlib.Path("/proc")


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the program's name."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def began(pid: int) -> float:
    """Seconds since the epoch: field 22 is in ticks after the boot (proc(5))."""
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return boot + int(stat(pid)[19]) / os.sysconf("SC_CLK_TCK")


def pss(pid: int) -> int:
    """Its share of the memory that it maps, in bytes."""
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def pids() -> list[int]:
    """All processes."""
    return [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]


def argv(pid: int) -> list[str]:
    """Its command line; empty for one that has none, or is gone."""
    try:
        return (PROC / str(pid) / "cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []


def cgroup(pid: int) -> str:
    """Its cgroup's path."""
    try:
        return (PROC / str(pid) / "cgroup").read_text().strip().partition("::")[2]
    except OSError:
        return ""


def main(uuid: str) -> dict[str, object]:
    """All of it, of the one QEMU with this -uuid; memory is PSS in bytes, `beside` the rest of its Pod."""
    [qemu] = [pid for pid in pids() if uuid in (words := argv(pid)) and "qemu" in words[0]]
    launcher = int(stat(qemu)[1])
    shim = int(stat(launcher)[1])
    pod = cgroup(qemu).rpartition("/")[0]
    beside = [pid for pid in pids() if cgroup(pid).startswith(f"{pod}/") and pid not in (qemu, launcher)]
    ready = (PROC / str(qemu) / "root/run/libvf/ready").stat().st_mtime
    return {
        "seconds": ready - began(launcher),
        "argv": argv(qemu),
        "qemu": pss(qemu),
        "launcher": pss(launcher),
        "beside": sum(map(pss, beside)),
        "shim": pss(shim),
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
