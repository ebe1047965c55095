"""Reading from our own API server without a kubectl each time: who waits asks again and again.

A kubectl costs a slow host a second of its processor, which is what it is waited for.
"""

from __future__ import annotations

import base64
import json
import ssl
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Api:
    """The API server of a kubeconfig of ours, which is JSON, as its one user."""

    kubeconfig: Path

    def ready(self) -> bool:
        """Whether it says so itself."""
        return self._read("/readyz") == b"ok"

    def get(self, path: str) -> dict[str, Any]:
        """What is there; empty where it is not, or not yet."""
        answer = self._read(path)
        return dict(json.loads(answer)) if answer else {}

    def _read(self, path: str) -> bytes:
        """The answer; empty for none, which a busy host may not give for a while."""
        try:
            settings = json.loads(self.kubeconfig.read_text())
            cluster, user = settings["clusters"][0]["cluster"], settings["users"][0]["user"]
            authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
            request = Request(cluster["server"] + path, headers={"Authorization": f"Bearer {user['token']}"})
            trust = ssl.create_default_context(cadata=authority)
            with urlopen(request, timeout=SECONDS, context=trust) as answer:
                content: bytes = answer.read()
                return content
        except (OSError, HTTPException):
            return b""
