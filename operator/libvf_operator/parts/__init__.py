"""What each thing of a VM adds to its launcher Pod: one module per thing. Pure."""

from dataclasses import dataclass, field

from libvf_operator.objects import Object


@dataclass(frozen=True, slots=True)
class Part:
    """Volumes with their mounts in the launcher, claims of the Pod, bytes of memory beyond the guest's own.

    `claims` are entries of the Pod's resourceClaims; `limits` are further resources, requested and limited alike;
    `ports` are the container's, `sysctls` the Pod's.
    """

    volumes: list[Object] = field(default_factory=list)
    mounts: list[Object] = field(default_factory=list)
    claims: list[Object] = field(default_factory=list)
    ports: list[Object] = field(default_factory=list)
    sysctls: list[Object] = field(default_factory=list)
    limits: dict[str, str] = field(default_factory=dict)
    memory: int = 0
