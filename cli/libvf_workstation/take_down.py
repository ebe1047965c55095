"""From a node to a bare host: machines first, then programs, then what they left in the kernel, then files."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from libvf_workstation.errors import CommandFailed, Left, Refused
from libvf_workstation.executor import Executor, remove
from libvf_workstation.host import Host
from libvf_workstation.journal import Journal
from libvf_workstation.layout import LINK, TABLE, Layout
from libvf_workstation.progress import say, step, wait_for
from libvf_workstation.units import APISERVER, CONTAINERD, ETCD, KUBELET, NETWORK, SERVICES, TARGET

PODS = "kubepods.slice"
PROFILE = "cri-containerd.apparmor.d"
PREPARATION = "preparation"
API_SECONDS = 300.0
GIVEN_BACK_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class TakeDown:
    """One run of it."""

    layout: Layout
    host: Host
    executor: Executor

    def volumes(self) -> list[str]:
        """Folders of PersistentVolumes that are there."""
        return sorted(entry.name for entry in self.layout.volumes.glob("*"))

    def machines(self) -> None:
        """Deletes machines, slices and policies, and waits until every slice was given back.

        Only the host agent can do that, so what is down is started again for it.
        """
        if not slices(self.layout) and not self.host.api.ready():
            return
        if not self.host.api.ready():
            say("the node is down and slices are carved still: it is started once more to give them back")
            self.host.run(["systemctl", "start", "--no-block", TARGET])
            cure = "look at journalctl -u 'libvf-*', mend it, and run this again"
            wait_for("the API server", self.host.api.ready, API_SECONDS, cure)
        with step("deleting machines, partitions and policies"):
            self._delete("vfvm", "--all-namespaces")
            self._delete("gpart", "--all-namespaces", "--wait=false")
            for pod in json.loads(self.host.kubectl("get", "pods", "--all-namespaces", "-o", "json"))["items"]:
                if pod["spec"].get("resourceClaims"):
                    meta = pod["metadata"]
                    self.host.kubectl("-n", meta["namespace"], "delete", "pod", meta["name"], "--ignore-not-found")
            self._delete("gpol")
        cure = f"the agent's words: kubectl -n libvf-system logs daemonset/libvf-agent; {self.layout.agent / 'journal'}"
        wait_for("every slice to be given back", lambda: not slices(self.layout), GIVEN_BACK_SECONDS, cure)

    def programs(self) -> None:
        """Stops all, and takes away what they have in the kernel."""
        with step("stopping the node's programs"):
            stop(self.layout, self.host)
            self.host.does("systemctl", "disable", "--quiet", TARGET)
            for unit in (TARGET, *SERVICES):
                self.host.does("systemctl", "reset-failed", unit)
        if self.host.does("nft", "list", "table", "inet", TABLE):
            self.host.run(["nft", "delete", "table", "inet", TABLE])
        if link():
            self.host.run(["ip", "link", "delete", LINK])
        _unload_profile(self.layout.root, self.executor.journal)

    def files(self) -> None:
        """Removes all that was made, and puts the kernel's settings back."""
        with step("removing files"):
            self.executor.put_settings_back()
            _remove_agents(self.layout, self.executor.journal)
            self.executor.take_back()
            self.host.does("systemctl", "daemon-reload")

    def prove(self) -> None:
        """Left, with everything that is there all the same."""
        found = [
            *(f"process {one}" for one in processes()),
            *(f"mount {one}" for one in mounts(self.layout)),
            *([f"link {LINK}"] if link() else []),
            *(f"file {name}" for name in self.executor.journal.made if os.path.lexists(name)),
            *(f"control group {one}" for one in groups(self.layout.root)),
        ]
        if found:
            listed = "\n  ".join(found)
            raise Left(f"still there:\n  {listed}\nrun `down` again; if it stays, reboot and run it once more")

    def _delete(self, kind: str, *options: str) -> None:
        try:
            self.host.kubectl("delete", kind, "--all", "--timeout=300s", *options)
        except CommandFailed as error:
            if "the server doesn't have a resource type" not in str(error):
                raise


def stop(layout: Layout, host: Host) -> None:
    """Ends every program and every container, and takes their mounts away. Machines that are not gone are killed."""
    host.does("systemctl", "stop", KUBELET)
    host.does("systemctl", "kill", "--signal=KILL", PODS)
    # its shims outlive it, as its containers do when it is only started anew
    host.does("systemctl", "kill", "--signal=KILL", CONTAINERD)
    host.does("systemctl", "stop", CONTAINERD)
    host.does("systemctl", "stop", PODS)
    others = [unit for unit in reversed(SERVICES) if unit not in (KUBELET, CONTAINERD, APISERVER, ETCD, NETWORK)]
    host.does("systemctl", "stop", TARGET, *others, APISERVER)
    host.does("systemctl", "stop", ETCD, NETWORK)
    _until(lambda: not processes())
    for mount in reversed(mounts(layout)):
        host.does("umount", mount)


def slices(layout: Layout) -> list[str]:
    """Claims whose devices the agent has carved and not given back: its journal's files."""
    return sorted(entry.name for entry in (layout.agent / "journal").glob("*.json"))


def processes() -> list[str]:
    """What runs in control groups of ours: the units' and those of Pods."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            group = (entry / "cgroup").read_text()
            name = (entry / "comm").read_text().strip()
        except OSError:  # it has ended
            continue
        if PODS in group or any(unit in group for unit in SERVICES):
            found.append(f"{entry.name} ({name})")
    return found


def mounts(layout: Layout) -> list[str]:
    """Mounts below folders of ours, in the order they were made (proc_pid_mountinfo(5))."""
    ours = [str(place) for place in (layout.run, layout.state, layout.kubelet)]
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return [point for point in points if any(point == place or point.startswith(f"{place}/") for place in ours)]


def groups(root: Path) -> list[str]:
    """Control groups of Pods."""
    place = root / "sys/fs/cgroup" / PODS
    return [str(place)] if place.exists() else []


def link() -> bool:
    """Whether the bridge is there."""
    return Path(f"/sys/class/net/{LINK}").exists()


def confirm_volumes(found: list[str], delete: bool) -> None:
    """Refused where volumes have what somebody may want still."""
    if found and not delete:
        raise Refused(
            f"volumes would be deleted with all that is in them ({len(found)}: {', '.join(found[:5])}): "
            "copy what you need, then say --delete-volumes"
        )


def _remove_agents(layout: Layout, journal: Journal) -> None:
    """The host agent's folder but for what was in it before, and what `libvf_agent prepare` keeps there."""
    before = {PREPARATION, *journal.facts.get("agent", ())}
    for entry in layout.agent.glob("*"):
        if entry.name not in before:
            remove(entry)
    if layout.agent.is_dir() and not any(layout.agent.iterdir()) and not journal.facts.get("agent_folder"):
        layout.agent.rmdir()


def _unload_profile(root: Path, journal: Journal) -> None:
    """containerd's AppArmor profile stays in the kernel without it."""
    folder = root / "sys/kernel/security/apparmor"
    if not journal.facts.get("profile") and has_profile(root):
        (folder / ".remove").write_text(PROFILE)


def has_profile(root: Path) -> bool:
    """Whether containerd's AppArmor profile is loaded."""
    try:
        return f"{PROFILE} (" in (root / "sys/kernel/security/apparmor/profiles").read_text()
    except OSError:
        return False


def _until(done: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.5)
