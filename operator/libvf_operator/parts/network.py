"""The guest's network in its Pod: the ports that reach it, and the right to listen on low ones. Pure."""

from libvf_operator import device_claims
from libvf_operator.objects import Object
from libvf_operator.parts import Part

_LOW = 1024
# one of the sysctls that Kubernetes calls safe: it counts in the Pod's own network alone, and takes no privilege
_LISTEN_ANYWHERE = {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}


def part(spec: Object) -> Part:
    """Each port under the guest's own number; the launcher gives a guest on a tap its address, from port 67."""
    ports = [_port(port) for port in spec.get("ports", [])]
    low = device_claims.uses_tap(spec) or any(port["containerPort"] < _LOW for port in ports)
    return Part(ports=ports, sysctls=[_LISTEN_ANYWHERE] if low else [])


def _port(port: Object) -> Object:
    return {"name": port["name"], "containerPort": port["port"], "protocol": port.get("protocol", "TCP")}
