"""The only door to the cluster: the user's own kubectl, with the user's own rights and settings."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from libvf_cli.errors import Forbidden, KubectlFailed, NoKubectl, NotFound

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

    def argv(self, *arguments: str) -> tuple[str, ...]:
        """The whole command, for who starts it and leaves it running."""
        return ("kubectl", *self.options, *arguments)

    def call(self, *arguments: str, stdin: str = "") -> Answer:
        """One call, whatever its code; NoKubectl or KubectlFailed where it could not be made."""
        done = self._run(arguments, stdin)
        return Answer(done.stdout.decode(errors="replace"), _text(done.stderr), done.returncode)

    def fetch(self, *arguments: str, stdin: str = "") -> bytes:
        """What a call prints, byte by byte; KubectlFailed with its own words where it ends with another code than 0."""
        done = self._run(arguments, stdin)
        if done.returncode:
            _fail(" ".join(arguments[:2]), _text(done.stderr), done.returncode)
        return done.stdout

    def get(self, *arguments: str) -> Json:
        """`kubectl get .. --output json`; KubectlFailed with kubectl's own words."""
        return self.document("get", *arguments)

    def document(self, *arguments: str, stdin: str = "") -> Json:
        """What a call with `--output json` answers; KubectlFailed with kubectl's own words."""
        answer = self.call(*arguments, "--output=json", stdin=stdin)
        if answer.code:
            _fail(" ".join(arguments), answer.errors, answer.code)
        try:
            document: Json = json.loads(answer.output)
        except ValueError as error:
            raise KubectlFailed(f"kubectl {' '.join(arguments)} printed no JSON: {answer.output[:200]!r}") from error
        return document

    def _run(self, arguments: Sequence[str], stdin: str) -> subprocess.CompletedProcess[bytes]:
        given: dict[str, Any] = {"input": stdin.encode()} if stdin else {"stdin": subprocess.DEVNULL}
        try:
            return subprocess.run(self.argv(*arguments), capture_output=True, timeout=self.seconds, **given)
        except OSError as error:
            raise not_there(error) from error
        except subprocess.TimeoutExpired as error:
            raise KubectlFailed(
                f"kubectl {arguments[0]} did not end in {self.seconds:g} s: is the API server reachable, and the node?"
            ) from error


def not_there(error: OSError) -> NoKubectl:
    """Why kubectl could not be started."""
    if isinstance(error, FileNotFoundError):
        return NoKubectl("there is no kubectl on PATH: install it, or put its folder on PATH")
    return NoKubectl(f"kubectl can not be run ({error.strerror}): mend the one that is on PATH")


def _fail(what: str, words: str, code: int) -> NoReturn:
    kinds = (("(NotFound)", NotFound), ("(Forbidden)", Forbidden))
    kind = next((kind for word, kind in kinds if word in words), KubectlFailed)
    raise kind(f"kubectl {what}: {words or f'exit code {code}'}")


def _text(output: bytes) -> str:
    return output.decode(errors="replace").strip()
