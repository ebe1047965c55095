"""A real Linux guest on a Pod's network: by user-mode network, and on the tap that the agent's hook makes.

The launcher is uid 107, as in its Pod; the Pod is two network namespaces of this machine.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from libvf_agent.tap import arguments
from libvf_api.names import READINESS_PORT
from libvf_launcher.paths import Paths

from lab.emulator import qemu
from lab.guest.build import guest_disk
from lab.trixie import programs
from tests.unit.launcher.pod_network import MTU, OUTSIDE, POD, PodNetwork, answered, compiled, fetched, within
from tests.unit.launcher.test_life import until

UID = "11111111-2222-3333-4444-555555555555"
# what kubelet and containerd do for the launcher: low ports are free, /dev/net/tun is its own, it is nobody much. What
# it may beyond a Pod's launcher is to read all files, as Python and QEMU are in a folder of root's here, also where
# access(2) is asked: for others than root that looks at no capabilities, unless securebits say so
AS_IN_A_POD = (
    "sysctl -q net.ipv4.ip_unprivileged_port_start=0; mount -t tmpfs none /dev/net && mknod /dev/net/tun c 10 200"
    " && chown 107:107 /dev/net/tun && exec setpriv --reuid=107 --regid=107 --clear-groups"
    " --securebits=+no_setuid_fixup"
    " --inh-caps=-all,+dac_read_search --ambient-caps=+dac_read_search --bounding-set=-all,+dac_read_search"
    ' --no-new-privs "$@"'
)


SCRIPT = "import sys; from pathlib import Path; from libvf_launcher.paths import Paths; "
SCRIPT += "from libvf_launcher.__main__ import main; sys.exit(main([], Paths(Path(sys.argv[1]))))"


class Guest:
    """The lab's small guest under a launcher; what it says on its serial console is in `said`."""

    def __init__(self, folder: Path, pod: PodNetwork, **spec: Any) -> None:
        self.paths = Paths(folder)
        for place in (self.paths.machine.parent, self.paths.run, self.paths.state, self.paths.volume("root")):
            place.mkdir(parents=True)
        self.paths.termination.parent.mkdir()
        (folder / "sys").symlink_to("/sys")
        (folder / "etc/resolv.conf").write_text(
            "search lab.svc.cluster.local svc.cluster.local\nnameserver 10.9.0.53\n"
        )
        shutil.copy(guest_disk(), self.paths.volume("root") / "disk")
        self.paths.machine.write_text(json.dumps(_document(spec)))
        self._log = folder / "serial.log"
        self._log.touch()
        subprocess.run(["chown", "-R", "107:107", folder], check=True)
        argv = [*within(pod.pod), "unshare", "--mount", "sh", "-c", AS_IN_A_POD, "sh", sys.executable, "-c", SCRIPT]
        with self._log.open("w") as log:
            self.process = Popen([*argv, str(folder)], stdout=log, stderr=log)

    @property
    def said(self) -> str:
        """Its console, and what launcher, QEMU and dnsmasq say."""
        return self._log.read_text(errors="replace")

    def until_said(self, words: str) -> None:
        """Wait for it to say so."""
        until(lambda: words in self.said or self.process.poll() is not None, 120)
        assert words in self.said


def _document(spec: dict[str, Any]) -> dict[str, Any]:
    """The launch document of a VM with this spec, and with a claim on a tap where it wants one."""
    disks = [{"name": "root", "hostPath": {"path": "/x"}}]
    body = {"memory": {"size": "256Mi"}, "cpu": {"acceleration": "Preferred"}, "disks": disks, **spec}
    tap = {"kind": "tap", "name": "tap", "claim": "a-tap", "request": "tap"}
    devices = [tap] if spec.get("network", {}).get("mode") == "Tap" else []
    return {"name": "a", "namespace": "b", "uid": UID, "spec": body, "devices": devices}


def metadata(folder: Path) -> None:
    """What the agent puts into the container for the claim."""
    device = {"driver": "libvf.io", "pool": "n1-tap", "name": "tap", "attributes": {"tap": {"string": "vm0"}}}
    request = {"name": "tap", "devices": [device]}
    place = folder / "var/run/kubernetes.io/dra-device-attributes/resourceclaims/a-tap/tap/libvf.io-metadata.json"
    place.parent.mkdir(parents=True)
    meta = {"name": "a-tap", "namespace": "b", "uid": "u", "generation": 1}
    head = {"apiVersion": "metadata.resource.k8s.io/v1beta1", "kind": "DeviceMetadata", "metadata": meta}
    place.write_text(json.dumps({**head, "requests": [request]}))


@pytest.fixture
def pod(monkeypatch: pytest.MonkeyPatch) -> Iterator[PodNetwork]:
    folders = (qemu().parent, programs("dnsmasq-base", "dnsmasq"))
    monkeypatch.setenv("PATH", ":".join([*map(str, folders), os.environ["PATH"]]))
    with PodNetwork(f"libvf-{os.getpid()}").up() as network:
        yield network


@pytest.fixture
def started(pod: PodNetwork, tmp_path: Path) -> Iterator[Callable[..., Guest]]:
    guests: list[Guest] = []

    def start(**spec: Any) -> Guest:
        guests.append(Guest(tmp_path / "c", pod, **spec))
        return guests[-1]

    yield start
    for guest in guests:
        guest.process.terminate()
        guest.process.wait(60)


@pytest.mark.parametrize("mode", ["User", "Tap"])
def test_a_guest_reaches_out_and_its_ports_are_reached_at_the_pods_address(
    pod: PodNetwork, started: Callable[..., Guest], tmp_path: Path, mode: str
) -> None:
    served = tmp_path / "outside"
    served.mkdir()
    (served / "page").write_text("hello-from-outside")
    if mode == "Tap":
        metadata(tmp_path / "c")
        assert pod.hook(compiled("libvf-tap", tmp_path), *arguments()[1:]).stderr == ""
    with pod.serving(served) as asked:
        strings = ["libvf.word=SESAME", f"libvf.fetch=http://{OUTSIDE}:8000/page"]
        ports = [{"name": "web", "port": 80}]
        guest = started(network={"mode": mode}, ports=ports, firmware={"oemStrings": strings})
        guest.until_said("libvf-guest: fetched hello-from-outside")
        assert f"{POD} - -" in asked.read_text()  # the guest has the Pod's address there
    assert "libvf-guest: address 192.0.0.2/29" in guest.said
    assert fetched(pod.outside, f"http://{POD}/word") == "SESAME"
    assert fetched(pod.pod, "http://127.0.0.1/word") == "SESAME"  # so does kubectl port-forward ask
    assert answered(pod.outside, f"http://{POD}:{READINESS_PORT}/")  # and so kubelet whether the guest runs
    if mode == "Tap":
        assert f"mtu {MTU}, dns nameserver 10.9.0.53 search lab.svc.cluster.local" in guest.said
