"""Disks, their claims and installations: the operator with its own rights on a real API server; kubelet's part is told.

No machine here has a GPU and no Pod finds a node, so nothing but the operator decides.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Api
from tests.integration.fakenode import clear, operating, ready, until

pytestmark = pytest.mark.integration

Json = dict[str, Any]
ON_DATA = {"name": "root", "persistentVolumeClaim": {"claimName": "data"}}
KEPT = {"name": "root", "size": "1Gi", "changes": "Keep"}
INSTALL = {
    "state": {"size": "2Gi"},
    "disks": [KEPT],
    "cdroms": [{"name": "setup", "image": {"reference": "example/installer:1"}}],
    "install": {"iso": "setup", "disk": "root"},
}


@pytest.fixture
def operator(api: Api, tmp_path: Path) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Begins the operator, again where one was ended."""
    yield lambda: operating(api, tmp_path)
    clear(api)
    api.done("delete", "pvc", "--all", "--wait")


def declare(api: Api, name: str, **spec: Any) -> None:
    body = {"memory": {"size": "1Gi"}, **spec}
    meta = {"name": name, "namespace": "default"}
    api.apply({"apiVersion": "libvf.io/v1alpha1", "kind": "VirtualMachine", "metadata": meta, "spec": body})


def claim(api: Api, name: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    meta = {"name": name, "namespace": "default"}
    api.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec})


def condition(api: Api, name: str, kind: str) -> Json:
    conditions = api.get("vfvm", name).get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == kind), {})


def until_reason(api: Api, name: str, reason: str, kind: str = "Ready") -> str:
    until(lambda: condition(api, name, kind).get("reason") == reason)
    return str(condition(api, name, kind)["message"])


def new_pod(api: Api, name: str, before: Json | None = None) -> Json:
    """The machine's Pod, once there is another than before."""
    uid = (before or {}).get("metadata", {}).get("uid")
    return dict(until(lambda: (pod := api.get("pod", name)) and pod["metadata"]["uid"] != uid and pod))


def document(pod: Json) -> Json:
    return dict(json.loads(pod["metadata"]["annotations"]["libvf.io/machine"])["spec"])


def tell_end(api: Api, name: str, reason: str, code: int) -> None:
    """As kubelet does when the launcher of this Pod has ended."""
    message = json.dumps({"reason": reason, "message": "told by a test", "exitCode": code})
    now = "2026-01-01T00:00:00Z"
    ended = {"exitCode": code, "message": message, "startedAt": now, "finishedAt": now}
    container = {"name": "launcher", "image": "x", "imageID": "x", "ready": False, "restartCount": 0}
    status = {
        "phase": "Failed" if code else "Succeeded",
        "conditions": [{"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [{**container, "state": {"terminated": ended}}],
    }
    api.done("patch", "pod", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))


def test_a_state_is_a_claim_that_outlives_the_pod_and_goes_with_its_machine(api: Api, operator: Any) -> None:
    with operator():
        declare(api, "keeper", state={"size": "1Gi"}, disks=[KEPT])
        pod = new_pod(api, "keeper")
        uid = api.get("pvc", "keeper-state")["metadata"]["uid"]
        assert {"name": "libvf-keep", "persistentVolumeClaim": {"claimName": "keeper-state"}} in pod["spec"]["volumes"]
        declare(api, "keeper", state={"size": "1Gi"}, disks=[KEPT], runStrategy="Halted")
        until(lambda: not api.get("pod", "keeper"))
        declare(api, "keeper", state={"size": "1Gi"}, disks=[KEPT])
        new_pod(api, "keeper")
        assert api.get("pvc", "keeper-state")["metadata"]["uid"] == uid
        api.done("delete", "vfvm", "keeper")
        until(lambda: not api.get("pvc", "keeper-state"))


def test_a_claim_that_is_missing_is_waited_for_by_name(api: Api, operator: Any) -> None:
    with operator():
        declare(api, "early", disks=[ON_DATA])
        assert "there is no PersistentVolumeClaim data" in until_reason(api, "early", "VolumeMissing")
        claim(api, "data")
        new_pod(api, "early")


def test_a_second_writer_waits_by_name_and_runs_when_the_first_is_gone(api: Api, operator: Any) -> None:
    claim(api, "data")
    with operator():
        declare(api, "first", disks=[ON_DATA])
        new_pod(api, "first")
    # an operator that comes anew looks at everything before it decides anything
    declare(api, "a-second", disks=[ON_DATA])
    with operator():
        assert "in use by VirtualMachine/first" in until_reason(api, "a-second", "DiskInUse")
        assert not api.get("pod", "a-second")
        api.done("delete", "vfvm", "first")
        new_pod(api, "a-second")


def test_an_installation_whose_end_the_operator_has_not_seen_is_installed_once(api: Api, operator: Any) -> None:
    with operator():
        declare(api, "fresh", **INSTALL)
        installer = new_pod(api, "fresh")
        assert document(installer)["graphics"] == {"mode": "Disabled"}
        assert installer["spec"]["restartPolicy"] == "OnFailure"
    tell_end(api, "fresh", "GuestShutdown", 0)
    with operator():
        guest = new_pod(api, "fresh", installer)
        assert {"install", "cdroms", "graphics"} & document(guest).keys() == set()
        assert until_reason(api, "fresh", "Installed", "Installed") == "from CD-ROM setup onto disk root"
    with operator():
        declare(api, "fresh", **INSTALL, runStrategy="Halted")
        until(lambda: not api.get("pod", "fresh"))
        declare(api, "fresh", **INSTALL)
        assert "install" not in document(new_pod(api, "fresh"))
        assert condition(api, "fresh", "Installed")["status"] == "True"
        assert "Installed" in api.done("get", "events", "--field-selector=involvedObject.name=fresh")
        again = {**INSTALL, "disks": [{**KEPT, "name": "second"}], "install": {"iso": "setup", "disk": "second"}}
        declare(api, "fresh", **again)
        until(lambda: "install" in document(new_pod(api, "fresh")))
        assert condition(api, "fresh", "Installed")["status"] == "False"


def test_an_installation_that_failed_says_so_and_is_begun_again(api: Api, operator: Any) -> None:
    with operator():
        declare(api, "broken", **INSTALL)
        installer = new_pod(api, "broken")
        tell_end(api, "broken", "QemuExited", 1)
        assert "QemuExited: told by a test" in until_reason(api, "broken", "InstallFailed", "Installed")
        assert "install" in document(new_pod(api, "broken", installer))
        assert ready(api, "vfvm", "broken")["status"] == "False"
