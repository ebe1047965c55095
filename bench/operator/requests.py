"""What the operator asked of the API server, from the server's audit log."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OPERATOR = "system:serviceaccount:libvf-system:libvf-operator"
_STANDING = ("watch", "list")  # once for all machines


def now() -> str:
    """The moment, as the log tells it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def counted(lines: Iterable[str], since: str = "") -> Counter[str]:
    """Requests of the operator by verb and resource from a moment on, but its lists and watches."""
    events = (event for event in _events(lines, since) if event["verb"] not in _STANDING)
    return Counter(_what(event) for event in events)


def log(folder: Path) -> list[str]:
    """All lines, those of the file before too where the server has begun a new one."""
    paths = [*sorted(folder.glob("audit-*.log")), folder / "audit.log"]
    return [line for path in paths for line in path.read_text(errors="replace").splitlines()]


def _events(lines: Iterable[str], since: str) -> Iterator[dict[str, Any]]:
    for line in lines:
        if OPERATOR in line and line.endswith("}"):
            event = json.loads(line)
            asked = event["user"]["username"] == OPERATOR and event["requestReceivedTimestamp"] >= since
            if asked and "objectRef" in event:  # what has none asks what is served
                yield event


def _what(event: dict[str, Any]) -> str:
    reference = event["objectRef"]
    return f"{event['verb']} {'/'.join(reference[part] for part in ('resource', 'subresource') if part in reference)}"
