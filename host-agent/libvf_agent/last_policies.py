"""The policies as the agent read them last, kept beside its journal for who looks without the API server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from libvf_agent.files import write_whole
from libvf_agent.policies import Rulebook
from libvf_agent.policy_spec import parse

FILE = "policies.json"


class Kept(msgspec.Struct, frozen=True):
    """GpuPolicies without their status, and the labels of the node."""

    labels: Mapping[str, str] = {}
    policies: tuple[dict[str, Any], ...] = ()

    @property
    def book(self) -> Rulebook:
        """What they say on this node."""
        return Rulebook.of(tuple(map(parse, self.policies)), self.labels)


def kept(labels: Mapping[str, str], documents: list[dict[str, Any]] | None) -> Kept:
    """What is worth keeping of documents as the API server gives them; None where it knows no policies."""
    return Kept(labels, tuple({key: one[key] for key in ("metadata", "spec") if key in one} for one in documents or ()))


def write(state: Path, policies: Kept) -> None:
    """Replaces what was kept."""
    write_whole(state / FILE, msgspec.json.encode(policies), 0o600)


def read(state: Path) -> Kept:
    """What was kept; nothing where no agent has read policies yet, or what it wrote is not understood."""
    try:
        return msgspec.json.decode((state / FILE).read_bytes(), type=Kept)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Kept()
