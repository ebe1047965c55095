"""Installing a guest: without GPUs from the CD-ROM, once, and then from the disk."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from libvf_operator import machine, machine_status, pod
from libvf_operator.machine import Observed

from tests.unit.operator.test_machine import SETTINGS, kinds, running, scheduled, settled, vm
from tests.unit.operator.test_volume import among, claim, on

CDS = [{"name": "setup", "image": {"reference": "s"}}, {"name": "drivers", "image": {"reference": "d"}}]
Machine = dict[str, Any]


def wish(strategy: str = "Always", annotations: dict[str, str] | None = None, **spec: Any) -> Machine:
    body = {"disks": [on("data")], "cdroms": CDS, "install": {"iso": "setup", "disk": "root"}, **spec}
    return vm(annotations=annotations, runStrategy=strategy, **body)


def seen(thing: Machine, live: bool = True, **status: Any) -> Observed:
    return among(settled(thing, live, **status), claim("data"))


def ended(reason: str, phase: str) -> dict[str, Any]:
    """A Pod whose launcher has ended with this reason."""
    message = json.dumps({"reason": reason, "message": "words", "exitCode": 0})
    container = {"state": {"terminated": {"exitCode": int(phase == "Failed"), "message": message}}}
    return {"phase": phase, "conditions": [scheduled()], "containerStatuses": [container]}


INSTALLED = ended("GuestShutdown", "Succeeded")


def told(thing: Machine, surroundings: Observed) -> dict[str, tuple[str, str]]:
    conditions = machine_status.status(thing, surroundings)["conditions"]
    return {c["type"]: (c["status"], c["reason"]) for c in conditions}


def installed(thing: Machine) -> Machine:
    """After its installer has ended well and that was recorded."""
    return {**thing, "status": machine_status.status(thing, seen(thing, **INSTALLED))}


def launched(thing: Machine) -> Machine:
    [made] = machine.desired(thing, seen(thing, live=False), SETTINGS).create
    return made


def test_the_installer_runs_from_its_cd_with_an_emulated_screen_and_leaves_its_gpus_to_others() -> None:
    launcher = launched(wish())
    document = json.loads(launcher["metadata"]["annotations"]["libvf.io/machine"])
    assert document["spec"]["graphics"] == {"mode": "Disabled"}
    assert document["spec"]["install"] == {"iso": "setup", "disk": "root"}
    assert [c["name"] for c in launcher["spec"]["resourceClaims"]] == ["kvm"]
    assert "/volumes/setup" in [m["mountPath"] for m in launcher["spec"]["containers"][0]["volumeMounts"]]


def test_an_installer_needs_no_gpu_and_does_not_wait_for_one() -> None:
    thing = wish(gpus=[{"name": "gpu0", "partitionRef": "taken"}])
    surroundings = seen(thing, live=False)
    surroundings.partitions.clear()
    surroundings.rivals["taken"] = "VirtualMachine/other"
    assert kinds(machine.desired(thing, surroundings, SETTINGS).create) == ["Pod/desk"]


def test_while_it_installs_the_guest_runs_and_the_machine_is_not_ready_yet() -> None:
    found = told(wish(), seen(wish(), **running()))
    assert found["Installed"] == ("False", "Installing")
    assert found["GuestRunning"] == ("True", "Installing")
    assert found["Ready"] == ("False", "Installing")
    assert found["Reconciling"] == ("True", "Installing")


def test_a_guest_that_shuts_down_has_installed_and_goes_on_from_its_disk_with_its_gpus() -> None:
    thing = wish()
    surroundings = seen(thing, **INSTALLED)
    assert told(thing, surroundings)["Installed"] == ("True", "Installed")
    assert machine.desired(thing, surroundings, SETTINGS).delete == []  # recorded first
    thing = installed(thing)
    assert kinds(machine.desired(thing, surroundings, SETTINGS).delete) == ["Pod/desk"]
    assert told(thing, surroundings)["RestartRequired"] == ("False", "UpToDate")
    launcher = launched(thing)
    places = [m["mountPath"] for m in launcher["spec"]["containers"][0]["volumeMounts"]]
    assert "/volumes/root" in places
    assert "/volumes/drivers" in places
    assert "/volumes/setup" not in places
    assert [c["name"] for c in launcher["spec"]["resourceClaims"]] == ["gpu0", "kvm"]
    assert told(thing, seen(thing, **running()))["Installed"] == ("True", "Installed")
    assert told(thing, seen(thing, **running()))["Ready"] == ("True", "Running")
    assert told(thing, seen(thing, **running()))["RestartRequired"] == ("False", "UpToDate")


@pytest.mark.parametrize(
    ("strategy", "during", "after"),
    [("Always", "OnFailure", "Always"), ("RerunOnFailure", "OnFailure", "OnFailure"), ("Once", "Never", "Never")],
)
def test_it_goes_on_by_its_run_strategy(strategy: str, during: str, after: str) -> None:
    assert launched(wish(strategy))["spec"]["restartPolicy"] == during
    assert launched(installed(wish(strategy)))["spec"]["restartPolicy"] == after


def test_halted_and_stopped_machines_stay_so_after_the_installation() -> None:
    halted = installed(wish()) | {"spec": wish("Halted")["spec"]}
    assert machine.desired(halted, seen(halted, live=False), SETTINGS).create == []
    manual = installed(wish("Manual", {"libvf.io/requested-state": "Running"}))
    assert launched(manual)["spec"]["restartPolicy"] == "Never"
    manual["metadata"]["annotations"] = {}
    assert machine.desired(manual, seen(manual, live=False), SETTINGS).create == []


def test_halted_in_the_middle_is_halted_and_not_installed() -> None:
    halted = wish("Halted")
    assert kinds(machine.desired(halted, seen(wish(), **running()), SETTINGS).delete) == ["Pod/desk"]
    assert told(halted, seen(halted, live=False))["Installed"] == ("False", "Halted")


@pytest.mark.parametrize("reason", ["QemuExited", "Killed", "BadMachine", "Stopped"])
def test_an_installer_that_ended_in_any_other_way_has_not_installed(reason: str) -> None:
    phase = "Succeeded" if reason == "Stopped" else "Failed"
    thing, surroundings = wish(), seen(wish(), **ended(reason, phase))
    assert told(thing, surroundings)["Installed"] == ("False", "InstallFailed")
    assert machine_status.status(thing, surroundings).get("installed") is None
    assert machine.desired(thing, surroundings, SETTINGS).delete == []  # told first
    thing["status"] = machine_status.status(thing, surroundings)
    assert kinds(machine.desired(thing, surroundings, SETTINGS).delete) == ["Pod/desk"]
    once = wish("Once")
    once["status"] = machine_status.status(once, surroundings)
    assert machine.desired(once, surroundings, SETTINGS).delete == []
    assert machine.desired(once, seen(once, live=False), SETTINGS).create == []


def test_an_installer_that_was_evicted_is_begun_again() -> None:
    evicted = {"phase": "Failed", "reason": "Evicted", "message": "low on memory", "conditions": [scheduled()]}
    thing, surroundings = wish(), seen(wish(), **evicted)
    assert told(thing, surroundings)["Installed"] == ("False", "InstallFailed")
    thing["status"] = machine_status.status(thing, surroundings)
    assert kinds(machine.desired(thing, surroundings, SETTINGS).delete) == ["Pod/desk"]


def test_how_it_failed_stays_told_until_it_runs_again() -> None:
    thing = wish()
    thing["status"] = machine_status.status(thing, seen(thing, **ended("BadMachine", "Failed")))
    again = told(thing, seen(thing, conditions=[scheduled()]))
    assert again["Installed"] == ("False", "InstallFailed")
    assert told(thing, seen(thing, **running()))["Installed"] == ("False", "Installing")


def test_an_operator_that_was_away_finds_the_end_in_the_pod_even_while_that_goes() -> None:
    surroundings = seen(wish(), **INSTALLED)
    assert surroundings.pod is not None
    surroundings.pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert told(wish(), surroundings)["Installed"] == ("True", "Installed")


def renamed(thing: Machine) -> None:
    thing["spec"]["disks"] = [on("data", "other")]
    thing["spec"]["install"] = {"iso": "setup", "disk": "other"}


def moved(thing: Machine) -> None:
    thing["spec"]["disks"] = [on("data", path="second.img")]


def from_another_cd(thing: Machine) -> None:
    thing["spec"]["install"] = {"iso": "drivers", "disk": "root"}


@pytest.mark.parametrize("change", [renamed, moved, from_another_cd])
def test_another_cd_or_disk_or_place_is_another_installation(change: Callable[[Machine], None]) -> None:
    thing = installed(wish())
    change(thing)
    assert told(thing, seen(thing, live=False))["Installed"] == ("False", "Starting")
    assert [c["name"] for c in launched(thing)["spec"]["resourceClaims"]] == ["kvm"]


def test_what_is_not_to_be_installed_is_not_spoken_of_and_is_remembered() -> None:
    thing = installed(wish())
    del thing["spec"]["install"]
    status = machine_status.status(thing, seen(thing, live=False))
    assert "Installed" not in {c["type"] for c in status["conditions"]}
    thing["spec"]["install"] = {"iso": "setup", "disk": "root"}
    assert told({**thing, "status": status}, seen(thing, live=False))["Installed"] == ("True", "Installed")


def test_a_changed_installation_asks_a_running_guest_for_a_restart() -> None:
    thing = installed(wish())
    runs = among(settled(thing, **running()), claim("data"))
    assert runs.pod is not None
    runs.pod["metadata"] = pod.for_machine(thing, SETTINGS)["metadata"]
    moved(thing)
    assert told(thing, runs)["RestartRequired"] == ("True", "SpecChanged")
