"""`explain-pending`: why something waits."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from libvf_api import names

from libvf_cli import machines, pending
from libvf_cli.call import Call, command
from libvf_cli.completion import machines as complete
from libvf_cli.errors import KubectlFailed, NotFound
from libvf_cli.kubectl import Json, Kubectl
from libvf_cli.pending import Account, Cluster

PANEL = "Running"
_PARTITIONS = f"{names.PARTITIONS}.{names.GROUP}"
_PREFIXES = ("gpupartition/", "gpart/", "partition/")


def register(app: typer.Typer) -> None:
    """Adds the command."""

    @command(app, "why machines and partitions wait: for each card and type; 1 if one does", PANEL)
    def explain_pending(
        call: Call,
        name: Annotated[
            str | None,
            typer.Argument(metavar="NAME", help="a VirtualMachine, or gpart/NAME; else all", autocompletion=complete),
        ] = None,
    ) -> None:
        accounts = _accounts(call, name)
        call.tell(pending.text(accounts), {"accounts": msgspec.to_builtins(accounts)})
        raise typer.Exit(int(any(one.waits for one in accounts)))


def _accounts(call: Call, name: str | None) -> list[Account]:
    cluster = _cluster(call)
    if name and name.startswith(_PREFIXES):
        return [_partition(call.kubectl, _one_partition(call.kubectl, name.partition("/")[2]), cluster)]
    partitions: list[Json] = call.kubectl.get(_PARTITIONS).get("items") or []
    found = [machines.one(call.kubectl, name)] if name else machines.listed(call.kubectl, False)
    accounts = [
        pending.of_machine(machine, partitions, cluster, _pod(call.kubectl, machine["metadata"]["name"]))
        for machine in found
    ]
    if not name:
        accounts += [_partition(call.kubectl, one, cluster) for one in partitions if not _of_machine(one)]
    return accounts


def _partition(kubectl: Kubectl, partition: Json, cluster: Cluster) -> Account:
    kind, _, consumer = str((partition.get("status") or {}).get("consumer") or "").partition("/")
    pod = _pod(kubectl, consumer) if kind else None
    return pending.of_partition(partition, cluster, pending.verdict(pod))


def _of_machine(partition: Json) -> bool:
    """Whether a machine's account tells it already."""
    owners = partition["metadata"].get("ownerReferences") or []
    consumer = str((partition.get("status") or {}).get("consumer") or "")
    return bool(owners) or consumer.startswith("VirtualMachine/")


def _one_partition(kubectl: Kubectl, name: str) -> Json:
    try:
        return kubectl.get(_PARTITIONS, name)
    except NotFound as error:
        raise NotFound(f"there is no GpuPartition {name} here: kubectl get gpart -A lists all") from error


def _pod(kubectl: Kubectl, name: str) -> Json | None:
    try:
        return kubectl.get("pod", name)
    except KubectlFailed:
        return None  # it is not made yet, or may not be seen: the machine's own condition is told all the same


def _cluster(call: Call) -> Cluster:
    """What is published and allocated, as far as the user may see it."""
    try:
        slices = call.cluster.get("resourceslices.resource.k8s.io").get("items") or []
    except KubectlFailed as error:
        call.remark(f"cards are not told one by one: {error}: ask for the right to list resourceslices")
        return Cluster(None, [])
    try:
        claims = call.cluster.get("resourceclaims.resource.k8s.io", "--all-namespaces").get("items") or []
    except KubectlFailed:
        claims = call.kubectl.get("resourceclaims.resource.k8s.io").get("items") or []
        call.remark("who holds slices in other namespaces is not told: that needs the right to list resourceclaims")
    return Cluster(slices, claims)
