"""The Service that carries a VM's ports: made with the VM, kept in step with its spec, gone when no port is left. Pure.

Unlike the other children it may change: a Service made anew would get another clusterIP. It follows the spec at once,
whether the guest runs or not; without a Pod it has no endpoints, and connections to it are refused.
"""

from libvf_api import names

from libvf_operator.objects import Object, child, owned_by

KIND = "Service"


def for_machine(machine: Object) -> Object | None:
    """The Service of the VM's name; None where the spec has no ports."""
    name, spec = machine["metadata"]["name"], machine["spec"]
    if not spec.get("ports"):
        return None
    service = child("v1", KIND, name, machine, {names.MACHINE_LABEL: name})
    service["spec"] = {
        "type": (spec.get("network") or {}).get("serviceType", "ClusterIP"),
        "selector": {names.MANAGED_BY: names.MANAGER, names.MACHINE_LABEL: name},
        "ports": [_port(port) for port in spec["ports"]],
    }
    return service


def change(wanted: Object | None, there: Object | None, machine: Object) -> Object | None:
    """What to patch of the VM's own Service, None where nothing; the uid keeps it from another's of the same name.

    The API server keeps the clusterIP, and the node ports of the ports whose names stay.
    """
    if wanted is None or there is None or not owned_by(there, machine) or _same(wanted["spec"], there["spec"]):
        return None
    meta = {key: there["metadata"][key] for key in ("name", "namespace", "uid")}
    return {"apiVersion": "v1", "kind": KIND, "metadata": meta, "spec": wanted["spec"]}


def status(there: Object | None, machine: Object) -> Object | None:
    """Where the ports are reached, for the VM's status; None where there is no Service of its own."""
    if there is None or not owned_by(there, machine):
        return None
    meta, spec = there["metadata"], there["spec"]
    ingress = ((there.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    addresses = [*spec.get("clusterIPs", []), *(one.get("ip") or one.get("hostname") for one in ingress)]
    told: Object = {
        "name": meta["name"],
        "host": f"{meta['name']}.{meta['namespace']}.svc",
        "addresses": [address for address in addresses if address and address != "None"],
        "ports": [{key: port[key] for key in _TOLD if port.get(key)} for port in spec["ports"]],
    }
    return told


_TOLD = ("name", "protocol", "port", "nodePort")


def _port(port: Object) -> Object:
    """The Pod has the guest's own port numbers."""
    return {
        "name": port["name"],
        "protocol": port.get("protocol", "TCP"),
        "port": port.get("servicePort", port["port"]),
        "targetPort": port["port"],
    }


def _same(wanted: Object, there: Object) -> bool:
    """Equal in all that is ours to say; the API server adds addresses and node ports."""
    ours = [{key: port.get(key) for key in ("name", "protocol", "port", "targetPort")} for port in there["ports"]]
    return bool(
        wanted["ports"] == ours and wanted["type"] == there.get("type") and wanted["selector"] == there.get("selector")
    )
