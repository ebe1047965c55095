"""One examination of a host, from its root folder to findings; it never fails."""

from __future__ import annotations

from pathlib import Path

from libvf_api.host import Examination

from libvf_agent.doctor.examination import examine, unreadable
from libvf_agent.doctor.facts import NodeInfo
from libvf_agent.doctor.reader import read
from libvf_agent.errors import AgentError


def look(root: Path, hook: Path, node: NodeInfo | None = None) -> Examination:
    """All findings; where the host can not be read at all, that is the finding."""
    if not (root / "sys").is_dir():
        return unreadable(f"there is no folder sys in {root}")
    try:
        return examine(read(root, hook, node))
    except (AgentError, OSError, ValueError) as error:
        return unreadable(str(error))
