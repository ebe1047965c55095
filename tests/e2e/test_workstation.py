"""One workstation: a bare Debian, one command, a machine on its slice, one command, a bare Debian again.

The host has no network, no kubectl and nothing of what it needs: all of it is in the bundle.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from lab.wholedisk import whole_disk
from lab.wholemachine import WholeMachine
from tests.e2e.installed import changed_since, unexplained
from tests.e2e.lone_host import BUNDLE, Running, Seen, bare, command, get, kubectl, listening, running, seen, settle
from tests.e2e.machines import SMALL, declared

pytestmark = [pytest.mark.e2e, pytest.mark.long]

Shown = Callable[[], AbstractContextManager[None]]

STAMP = "/var/tmp/began"
APT = ("var/cache/*", "var/lib/apt/*")  # written by its daily runs
OURS = ("10.244.0.1", "10.96.0.1")
CLAIMED = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: kept}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 64Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  restartPolicy: OnFailure  # containerd gives up on a start that takes an emulated host too long
  securityContext: {runAsUser: 107, runAsGroup: 107}
  containers:
  - name: writer
    image: libvf.io/local-path:dev
    command: [/bin/sh, -c, 'echo written > /kept/file']
    volumeMounts: [{name: kept, mountPath: /kept}]
  volumes: [{name: kept, persistentVolumeClaim: {claimName: kept}}]
"""


@dataclass(frozen=True, slots=True)
class Up:
    """The host with everything on it, and one machine that runs."""

    killed: int
    partition: dict[str, Any]
    seen: Running
    reachable: set[str]
    secrets: str
    anonymous: str
    written: str


@dataclass(frozen=True, slots=True)
class Down:
    """The host after all was taken back; `refused` is what it said while a volume was there."""

    refused: str
    said: str
    seen: Seen
    changed: set[str]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, shown: Shown) -> Iterator[WholeMachine]:
    with shown():
        machine = bare(tmp_path_factory.mktemp("workstation"), whole_disk())
        machine.start()
        machine.wait_up()
        settle(machine)
        machine.check(["touch", STAMP])
    yield machine
    machine.kill()


@pytest.fixture(scope="module")
def before(host: WholeMachine, shown: Shown) -> Seen:
    with shown():
        return seen(host)


@pytest.fixture(scope="module")
def planned(before: Seen, host: WholeMachine, shown: Shown) -> str:
    with shown():
        return command(host, "up")


@pytest.fixture(scope="module")
def up(planned: str, host: WholeMachine, shown: Shown) -> Up:
    """Killed once on the way: the second run goes on."""
    with shown():
        killed = host.execute(["timeout", "--signal=KILL", "12", "python3", BUNDLE, "up", "--yes"]).code
        command(host, "up", "--yes")
        kubectl(host, "apply", "-f", "-", stdin=declared("desk", **SMALL))
        kubectl(host, "wait", "--for=condition=Ready", "vfvm/desk", "--timeout=900s")
        kubectl(host, "apply", "-f", "-", stdin=CLAIMED)
        kubectl(host, "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/writer", "--timeout=900s")
        open_to_others = host.check(["find", "/var/lib/libvf-workstation", "-maxdepth", "0", "-perm", "/077"])
        asked = host.execute(["python3", "-c", _ASK]).out
        written = host.check(["sh", "-c", "cat /var/lib/libvf-workstation/volumes/*/file"])
        return Up(
            killed, get(host, "gpart", "desk-gpu0"), running(host), listening(host), open_to_others, asked, written
        )


@pytest.fixture(scope="module")
def down(up: Up, host: WholeMachine, shown: Shown) -> Down:
    with shown():
        refused = host.execute(["python3", BUNDLE, "down", "--yes"])
        assert refused.code == 1
        said = command(host, "down", "--yes", "--delete-volumes")
        return Down(refused.err, said, seen(host), changed_since(host, STAMP))


_ASK = """
import ssl, urllib.error, urllib.request
try:
    urllib.request.urlopen("https://10.244.0.1:6443/readyz", context=ssl._create_unverified_context())
except urllib.error.HTTPError as error:
    print(error.code)
"""


def test_the_plan_names_all_that_it_would_make_and_makes_nothing(planned: str, before: Seen) -> None:
    assert "Nothing was changed: say --yes." in planned
    for place in ("/opt/libvf-workstation", "/var/lib/libvf-workstation", "libvf-apiserver.service"):
        assert place in planned
        assert not any(place in line for line in before.files)


def test_the_plan_shows_the_cards_and_takes_none(planned: str) -> None:
    assert "drives the desktop" in planned
    assert "mdpy  is cut by its own driver" in planned
    assert "take no card from the host" in planned


def test_killed_in_the_middle_a_second_run_finishes(up: Up) -> None:
    assert up.killed in (-9, 137)
    assert up.seen.failed == []


def test_a_machine_is_ready_on_its_own_mdev(up: Up) -> None:
    [device] = up.partition["status"]["devices"]
    assert up.seen.mdevs == [device["mdevUUID"]]


def test_a_volume_is_a_folder_of_the_host(up: Up) -> None:
    assert up.written == "written\n"


def test_nothing_can_be_reached_from_outside_nor_without_a_name(up: Up) -> None:
    assert {address for address in up.reachable if not address.startswith("127.")} <= set(OURS)
    assert up.anonymous == "401\n"
    assert up.secrets == ""


def test_volumes_are_not_deleted_without_being_told(down: Down) -> None:
    assert "say --delete-volumes" in down.refused


def test_taken_back_nothing_is_left(before: Seen, down: Down) -> None:
    assert "nothing is left" in down.said
    for name in ("run", "mounts", "links", "units", "failed", "groups", "programs", "settings", "mdevs", "profiles"):
        assert getattr(down.seen, name) == getattr(before, name), name


def test_taken_back_every_file_is_there_and_none_was_changed(before: Seen, down: Down) -> None:
    assert unexplained(down.seen.files, *APT) == unexplained(before.files, *APT)
    assert len(before.files) > 5000, "the disk was not looked at"
    assert unexplained(down.changed, *APT) == set()
