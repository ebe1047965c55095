"""kubeconfig files and the static tokens they hold."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# user -> groups; the names are those that Kubernetes' own RBAC bootstrap policy expects
USERS: Mapping[str, str] = {
    "admin": "system:masters",
    "system:kube-scheduler": "",
    "system:kube-controller-manager": "",
}


def users(*nodes: str) -> dict[str, str]:
    """The users of a cluster with these nodes; the node authorizer knows a kubelet by its name and group."""
    return {**USERS, **{f"system:node:{name}": "system:nodes" for name in nodes}}


@dataclass(frozen=True, slots=True)
class Tokens:
    """One static token per user, kept in the CSV file that kube-apiserver's --token-auth-file reads."""

    file: Path
    by_user: dict[str, str] = field(default_factory=dict)

    def load(self, groups: Mapping[str, str]) -> Tokens:
        """Read the file, or make it for these users; it is whole or not there."""
        if not self.file.exists():
            rows = [f'{secrets.token_hex(16)},"{user}","{user}","{group}"' for user, group in groups.items()]
            private(self.file, "\n".join(rows) + "\n")
        for row in self.file.read_text().splitlines():
            token, user = row.split(",")[:2]
            self.by_user[user.strip('"')] = token
        return self


def document(server: str, authority: Path, token: str, name: str = "lab") -> str:
    """A kubeconfig for one user; `server` is a URL, the authority is embedded. JSON, which is YAML too."""
    certificate = base64.b64encode(authority.read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": certificate}}],
        "users": [{"name": "user", "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "user"}}],
        "current-context": name,
    }
    return json.dumps(config, indent=2) + "\n"


def private(path: Path, text: str) -> None:
    """Writes a file that only its owner ever could read, whole or not at all."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    beside.replace(path)
