"""The examination as one condition of the Node: pure."""

from __future__ import annotations

from typing import Any

from libvf_api.host import Examination, Severity
from libvf_api.names import NODE_CONDITION

from libvf_agent.doctor.facts import NodeInfo

HEALTHY = "Healthy"
MESSAGE_CHARACTERS = 1024

Json = dict[str, Any]


def info_of(node: Json) -> NodeInfo:
    """The versions that the Node tells."""
    info = (node.get("status") or {}).get("nodeInfo") or {}
    return NodeInfo(info.get("kubeletVersion", ""), info.get("containerRuntimeVersion", ""))


def patch(node: Json, examination: Examination, now: str) -> Json | None:
    """The server-side apply that makes the Node say so, None where it does; `now` is RFC 3339.

    Time of transition is that of the status: another reason for the same status keeps it.
    """
    says = _condition(examination)
    conditions = (node.get("status") or {}).get("conditions") or []
    present: Json = next((c for c in conditions if c["type"] == NODE_CONDITION), {})
    if says.items() <= present.items():
        return None
    since = present.get("lastTransitionTime") if present.get("status") == says["status"] else None
    body = {**says, "lastTransitionTime": since or now, "lastHeartbeatTime": now}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node["metadata"]["name"]},
        "status": {"conditions": [body]},
    }


def _condition(examination: Examination) -> dict[str, str]:
    errors = [finding for finding in examination.findings if finding.severity is Severity.ERROR]
    warnings = sum(1 for finding in examination.findings if finding.severity is Severity.WARNING)
    if not errors:
        message = f"{warnings} warnings: kubectl vf doctor tells them" if warnings else "nothing is lacking"
        return {"type": NODE_CONDITION, "status": "True", "reason": HEALTHY, "message": message}
    told = "; ".join(f"{error.subject}: {error.what} (cure: {error.cure})" for error in errors)
    message = told if len(told) <= MESSAGE_CHARACTERS else f"{told[: MESSAGE_CHARACTERS - 2]} …"
    return {"type": NODE_CONDITION, "status": "False", "reason": errors[0].check, "message": message}
