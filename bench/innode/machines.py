"""Machines and plain Pods on the node, by one client and its watches: to the millisecond, as kubectl is not."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

from libvf_api.apiserver import ApiServer
from libvf_api.names import LAUNCHER_CONTAINER

from lab.testbed import Testbed
from tests.e2e.machines import SMALL, example

Json = dict[str, Any]

MACHINES = "/apis/libvf.io/v1alpha1/namespaces/default/virtualmachines"
PODS = "/api/v1/namespaces/default/pods"
PARENT, KIND = "mbochs", "mbochs-small"  # its card takes 64 of them
MANAGER = "bench"
_SECONDS = 300


def machine(name: str) -> Json:
    """One with a slice and a screen and nothing to boot from: what its guest does is not measured."""
    made = example("vm", **SMALL, gpus=[{"name": "gpu0", "type": KIND}])
    return {**made, "metadata": {"name": name, "namespace": "default"}}


def plain_pod(name: str, launcher: Json) -> Json:
    """A Pod of the launcher's image and limits that does nothing.

    With a grace period of 0 its object would be gone before kubelet has ended it, beside what follows.
    """
    [own] = [one for one in launcher["spec"]["containers"] if one["name"] == LAUNCHER_CONTAINER]
    memory = own["resources"]["limits"]["memory"]
    container = {
        "name": "plain",
        "image": own["image"],
        "imagePullPolicy": own["imagePullPolicy"],
        "command": ["sleep", "86400"],
        "resources": {"limits": {"memory": memory}, "requests": {"memory": memory}},
    }
    spec = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def machine_runs(thing: Json) -> bool:
    """Whether a VirtualMachine says that its guest runs."""
    return bool((thing.get("status") or {}).get("ready"))


def pod_is_ready(thing: Json) -> bool:
    """Whether kubelet says so of a Pod."""
    conditions = (thing.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def connect(lab: Testbed) -> ApiServer:
    """The lab's API server, as its administrator."""
    os.environ["KUBECONFIG"] = str(lab.kubeconfig)
    return await ApiServer.connect()


async def started(server: ApiServer, path: str, thing: Json, done: Callable[[Json], bool]) -> float:
    """Seconds from the declaration until it is done."""
    name = thing["metadata"]["name"]
    seen = asyncio.create_task(until(server, path, name, lambda found: found is not None and done(found)))
    await asyncio.sleep(0.5)  # the watch is there before the object
    began = time.monotonic()
    await server.create(path, thing, MANAGER)
    return await seen - began


async def gone(server: ApiServer, path: str, name: str) -> None:
    """Delete it, and wait until it and its Pod are gone."""
    for place in dict.fromkeys((path, PODS)):
        seen = asyncio.create_task(until(server, place, name, lambda found: found is None))
        await server.delete(f"{place}/{name}")
        await seen


async def until(server: ApiServer, path: str, name: str, done: Callable[[Json | None], bool]) -> float:
    """The moment at which the object is as wanted; None stands for one that is not there."""
    query = {"fieldSelector": f"metadata.name={name}"}
    async with asyncio.timeout(_SECONDS):
        async for event in server.follow(path, query, _SECONDS):
            if event["type"] == "LIST":
                [thing] = event["object"].get("items") or [None]
            else:
                thing = None if event["type"] == "DELETED" else event["object"]
            if done(thing):
                return time.monotonic()
    raise TimeoutError(f"{path}/{name} did not become what it should")
