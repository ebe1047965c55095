"""The agent's own look at its host now and then, told as a condition of its Node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from libvf_api.host import Examination, Severity

from libvf_agent.cluster import Door
from libvf_agent.doctor import condition
from libvf_agent.doctor.examination import count
from libvf_agent.doctor.facts import NodeInfo
from libvf_agent.metrics import Metrics


class NodeCondition:
    """Keeps condition LibvfReady of one Node; `look` examines the host, and runs on a thread."""

    def __init__(self, node: str, door: Door, look: Callable[[NodeInfo], Examination], metrics: Metrics) -> None:
        self._node = node
        self._door = door
        self._look = look
        self._metrics = metrics

    async def refresh(self) -> bool:
        """Examines the host and writes the condition if it says something else; whether it was written."""
        node = await self._door.node(self._node)
        found = await asyncio.to_thread(self._look, condition.info_of(node))
        self._metrics.findings = {severity.value: count(found, severity) for severity in Severity}
        body = condition.patch(node, found, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        if body is None:
            return False
        await self._door.apply_node_status(body)
        return True
