"""`kubectl vf ps`: machines as rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from libvf_cli.kubectl import Json
from libvf_cli.machines import condition, state

HEAD = ("NAME", "STATE", "NODE", "GPU", "CPUS", "MEMORY", "PORTS", "SCREEN", "AGE")
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def rows(machines: Sequence[Json], now: datetime, everywhere: bool) -> list[tuple[str, ...]]:
    """One for each; with their namespaces where they are of several."""
    return [(*((one["metadata"]["namespace"],) if everywhere else ()), *_row(one, now)) for one in machines]


def head(everywhere: bool) -> tuple[str, ...]:
    """The columns' names."""
    return ("NAMESPACE", *HEAD) if everywhere else HEAD


def document(machines: Sequence[Json], now: datetime) -> list[Json]:
    """The same for programs, with whole words for the state."""
    names = ("name", "state", "node", "gpu", "cpus", "memory", "ports", "screen", "age")
    return [
        {
            "namespace": one["metadata"]["namespace"],
            **dict(zip(names, _row(one, now), strict=True)),
            "cpus": _cpus(one["spec"]),
            "state": state(one)[0],
            "message": state(one)[1],
            "ready": bool((one.get("status") or {}).get("ready")),
            "restartRequired": _restart(one),
            "addresses": _guest(one).get("addresses") or [],
        }
        for one in machines
    ]


def age(since: str, now: datetime) -> str:
    """How long ago a time of the API server's is: 14s, 5m, 3h, 2d."""
    seconds = max(0, int((now - datetime.fromisoformat(since)).total_seconds()))
    return next((f"{seconds // size}{unit}" for size, unit in _UNITS if seconds >= size), "0s")


def _row(machine: Json, now: datetime) -> tuple[str, ...]:
    spec, status = machine["spec"], machine.get("status") or {}
    reason = state(machine)[0]
    return (
        machine["metadata"]["name"],
        f"{reason}, restart required" if _restart(machine) else reason,
        status.get("node") or "-",
        status.get("gpu") or _asked(spec),
        str(_cpus(spec)),
        str(spec["memory"]["size"]),
        ",".join(_port(port) for port in spec.get("ports") or []) or "-",
        ",".join(display["type"] for display in status.get("displays") or []) or "-",
        age(machine["metadata"]["creationTimestamp"], now),
    )


def _restart(machine: Json) -> bool:
    return bool(condition(machine, "RestartRequired").get("status") == "True")


def _guest(machine: Json) -> Json:
    return (machine.get("status") or {}).get("guest") or {}


def _asked(spec: Json) -> str:
    """What it asks for where it has nothing yet."""
    asked = [f"({_wanted(gpu)})" for gpu in spec.get("gpus") or []]
    return " ".join(asked) or "-"


def _wanted(gpu: Json) -> str:
    vram: Any = gpu.get("vram") or {}
    size = f"{vram.get('min', '')}..{vram.get('max', '')}" if vram else ""
    parts = (gpu.get("partitionRef"), gpu.get("type"), gpu.get("vendor"), gpu.get("device"), size, gpu.get("mode"))
    return " ".join(str(part) for part in parts if part) or "any"


def _cpus(spec: Json) -> int:
    cpu = spec.get("cpu") or {}
    return int(cpu.get("cores", 1)) * int(cpu.get("sockets", 1)) * int(cpu.get("threads", 1))


def _port(port: Json) -> str:
    return f"{port.get('servicePort', port['port'])}:{port['port']}/{port.get('protocol', 'TCP')}"
