"""What of a machine only a node shows: the kernel's cgroups, containerd's seccomp profile, volumes, real KVM."""

import json
import time
from typing import Any

import pytest
import yaml

from lab.demo import get, wait_ready
from lab.inspect_node import qemu_of
from lab.node import Node
from lab.testbed import Testbed
from lab.volumes import CLASS, local_volume
from tests.e2e.machines import SMALL, apply, example, until

pytestmark = pytest.mark.e2e
PAGE = 2 << 20
MEMORY = 128 << 20
GUEST_SECONDS = 480


@pytest.mark.long
def test_huge_pages_back_the_guest_and_its_disguise_is_what_pci_shows(bed: Testbed) -> None:
    [node] = bed.nodes()
    shell(node, f"echo {MEMORY // PAGE} > /proc/sys/vm/nr_hugepages; systemctl restart kubelet")
    try:
        until(lambda: get(bed, "node", node.name)["status"]["allocatable"].get("hugepages-2Mi"), "128Mi")
        identity = {"deviceId": "0x1b30", "subDeviceId": "0x12ba"}
        apply(bed, **{**SMALL, "memory": {"size": "128Mi", "hugepages": "2Mi"}}, deviceIdentity=identity)
        wait_ready(bed, "demo")
        machine = get(bed, "vfvm", "demo")
        process = qemu_of(node, machine["metadata"]["uid"])
        assert hugetlb(node, process.pid) == str(MEMORY)  # charged to its own cgroup, as the Pod's limit is
        assert process.memlock_bytes > MEMORY
        assert shown(bed, "demo", 0x1B30)["subsystem"] == 0x12BA
    finally:
        bed.kubectl("delete", "vfvm", "demo", "--wait")
        shell(node, "echo 0 > /proc/sys/vm/nr_hugepages; systemctl restart kubelet")


@pytest.mark.long
def test_a_shared_folders_files_are_107s_on_the_node_and_a_tpm_is_there_too(bed: Testbed) -> None:
    """UEFI is shown where no KVM is (tests/integration/test_guest_firmware.py).

    The emulator that a node runs in here dies of OVMF in a guest of its emulated SVM (QEMU 10.0.13,
    "tcg_handle_interrupt: assertion failed: (bql_locked())").
    """
    [node] = bed.nodes()
    machine = example("shared-folder")
    machine["spec"] |= {"firmware": {"tpm": True}, "state": {"size": "64Mi", "storageClassName": CLASS}}
    shell(node, "mkdir -p /srv/share; chown 107:107 /srv/share")
    with local_volume(bed, "shared-folder-state"):
        try:
            bed.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(machine))
            until_said(bed, "shared-folder", "folder home owner 1000:1000")
            assert "libvf-guest: tpm 2, key" in bed.kubectl("logs", "shared-folder")
            assert shell(node, "stat -c %u /var/lib/volumes/shared-folder-state/tpm/tpm2-00.permall") == "107\n"
            made = shell(node, "stat -c %u:%g /srv/share/made/moved; cat /srv/share/made/moved")
            assert made == "107:107\nby the guest\n"
            assert unprivileged(node, "virtiofsd")
            assert unprivileged(node, "swtpm socket")
        finally:
            bed.kubectl("delete", "vfvm", "shared-folder", "--wait")
            shell(node, "rm -r /srv/share")


def until_said(bed: Testbed, name: str, words: str) -> None:
    """Wait until the guest has said so on its serial console."""
    deadline = time.monotonic() + GUEST_SECONDS
    wait_ready(bed, name)
    while words not in (said := bed.kubectl("logs", name)):
        assert time.monotonic() < deadline, said[-2000:]
        time.sleep(2)


def shown(bed: Testbed, name: str, device: int) -> dict[str, Any]:
    """The PCI ids of that device, as QEMU's configuration space has them."""
    buses = json.loads(bed.kubectl("exec", name, "-c", "launcher", "--", "libvf-launcher", "qmp", "query-pci"))
    found = [each for bus in buses for each in bus["devices"]]
    below = [each for bridge in found for each in bridge.get("pci_bridge", {}).get("devices", [])]
    [ids] = [each["id"] for each in below if each["id"]["device"] == device]
    return dict(ids)


def hugetlb(node: Node, pid: int) -> str:
    """Bytes of 2 MiB pages that the process's cgroup is charged for."""
    script = f"cat /sys/fs/cgroup$(sed s/^0::// /proc/{pid}/cgroup)/hugetlb.2MB.current"
    return shell(node, script).strip()


def unprivileged(node: Node, program: str) -> bool:
    """Whether it runs as 107, without capabilities and under a filter of system calls."""
    status = shell(node, f"cat /proc/$(pgrep -of '^[^ ]*{program}')/status")
    lines = {key: value.split() for key, value in (line.split(":", 1) for line in status.splitlines())}
    return (lines["Uid"][0], int(lines["CapEff"][0], 16), lines["Seccomp"]) == ("107", 0, ["2"])


def shell(node: Node, script: str) -> str:
    """Run it on the node."""
    done = node.execute(["sh", "-ec", script])
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()
