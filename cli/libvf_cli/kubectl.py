"""The only door to the cluster: the user's own kubectl, with the user's own rights and settings."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libvf_cli.errors import KubectlFailed, NoKubectl

SECONDS = 60.0

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call printed, and its exit code: that of the program itself where one was run by exec."""

    output: str
    errors: str
    code: int


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Calls kubectl, which finds KUBECONFIG itself; `options` are its global ones, `--context=x`."""

    options: tuple[str, ...] = ()
    seconds: float = SECONDS

    def call(self, *arguments: str) -> Answer:
        """One call, whatever its code; NoKubectl or KubectlFailed where it could not be made."""
        done = self._run(arguments)
        return Answer(done.stdout.decode(errors="replace"), _text(done.stderr), done.returncode)

    def fetch(self, *arguments: str) -> bytes:
        """What a call prints, byte by byte; KubectlFailed with its own words where it ends with another code than 0."""
        done = self._run(arguments)
        if done.returncode:
            what = _text(done.stderr) or f"exit code {done.returncode}"
            raise KubectlFailed(f"kubectl {' '.join(arguments[:2])}: {what}")
        return done.stdout

    def _run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        argv = ("kubectl", *self.options, *arguments)
        try:
            return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=self.seconds)
        except FileNotFoundError as error:
            raise NoKubectl("there is no kubectl on PATH: install it, or put its folder on PATH") from error
        except OSError as error:
            raise NoKubectl(f"kubectl can not be run ({error.strerror}): mend the one that is on PATH") from error
        except subprocess.TimeoutExpired as error:
            raise KubectlFailed(
                f"kubectl {arguments[0]} did not end in {self.seconds:g} s: is the API server reachable, and the node?"
            ) from error

    def get(self, *arguments: str) -> Json:
        """`kubectl get .. --output json`; KubectlFailed with kubectl's own words."""
        answer = self.call("get", *arguments, "--output=json")
        if answer.code:
            raise KubectlFailed(f"kubectl get {' '.join(arguments)}: {answer.errors or f'exit code {answer.code}'}")
        try:
            document: Json = json.loads(answer.output)
        except ValueError as error:
            raise KubectlFailed(
                f"kubectl get {' '.join(arguments)} printed no JSON: {answer.output[:200]!r}"
            ) from error
        return document


def _text(output: bytes) -> str:
    return output.decode(errors="replace").strip()
