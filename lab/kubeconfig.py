"""kubeconfig files and the static tokens they hold."""

import base64
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import yaml

NODE_NAMES = tuple(f"n{number}" for number in range(1, 9))

# user -> groups; the names are those that Kubernetes' own RBAC bootstrap policy and node authorizer expect
USERS = {
    "admin": "system:masters",
    "system:kube-scheduler": "",
    "system:kube-controller-manager": "",
    **{f"system:node:{name}": "system:nodes" for name in NODE_NAMES},
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """One static token per user, kept in the CSV file that kube-apiserver's --token-auth-file reads."""

    file: Path
    by_user: dict[str, str] = field(default_factory=dict)

    def load(self) -> "Tokens":
        """Read the file, or make it."""
        if not self.file.exists():
            rows = [f'{secrets.token_hex(16)},"{user}","{user}","{groups}"' for user, groups in USERS.items()]
            self.file.write_text("\n".join(rows) + "\n")
            self.file.chmod(0o600)
        for row in self.file.read_text().splitlines():
            token, user = row.split(",")[:2]
            self.by_user[user.strip('"')] = token
        return self


def document(server: str, authority: Path, token: str) -> str:
    """A kubeconfig for one user; `server` is a URL, the authority is embedded."""
    certificate = base64.b64encode(authority.read_bytes()).decode()
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": {"server": server, "certificate-authority-data": certificate}}],
            "users": [{"name": "user", "user": {"token": token}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "user"}}],
            "current-context": "lab",
        },
        sort_keys=False,
    )
