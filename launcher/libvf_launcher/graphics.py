"""Whose screen the guest has."""

from libvf_api.launch import Launch


def mode(launch: Launch) -> str:
    """spec.graphics.mode, or its default."""
    chosen = launch.spec.graphics.mode if launch.spec.graphics else None
    return chosen or "Accelerated"
