"""Secrets that a VM's spec names: a read-only folder each for the launcher. Pure.

They are optional to kubelet: without one the launcher runs, says which is missing, and is started again; kubelet would
say so in an Event alone, and the operator would need a right on Events or Secrets to pass it on.
"""

from libvf_operator.objects import Object
from libvf_operator.parts import Part, guesttools

FOLDER = "/var/run/secrets/libvf"


def part(spec: Object) -> Part:
    """A volume and a mount for each."""
    found = {field: secret for field, secret in _named(spec).items() if secret}
    volumes = [_volume(field, secret) for field, secret in found.items()]
    mounts = [{"name": _name(field), "mountPath": f"{FOLDER}/{field}", "readOnly": True} for field in found]
    return Part(volumes=volumes, mounts=mounts)


def _named(spec: Object) -> dict[str, str | None]:
    tools = guesttools.enabled(spec) or {}
    fields = {"cloudInit": spec.get("cloudInit"), "sysprep": spec.get("sysprep"), "sshKeys": tools.get("sshKeys")}
    return {field: (value or {}).get("secretName") for field, value in fields.items()}


def _volume(field: str, secret: str) -> Object:
    return {"name": _name(field), "secret": {"secretName": secret, "optional": True, "defaultMode": 0o440}}


def _name(field: str) -> str:
    return f"secret-{field.lower()}"
