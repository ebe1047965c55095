"""A kubectl of a few lines on PATH: it answers from files and records how it was called."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]

SCRIPT = """#!{python}
import base64, json, os, pathlib, sys
folder = pathlib.Path({folder!r})
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps({{"argv": sys.argv[1:], "kubeconfig": os.environ.get("KUBECONFIG", "")}}) + "\\n")
for line in (folder / "answers").read_text().splitlines():
    words, output, errors, code = json.loads(line)
    if all(word in sys.argv for word in words):
        sys.stdout.buffer.write(base64.b64decode(output))
        sys.stdout.flush()
        print(errors, file=sys.stderr)
        sys.exit(code)
sys.exit(f"no answer for {{sys.argv[1:]}}")
"""


@dataclass
class Kubectl:
    """What it was told to answer and how it was called."""

    folder: Path

    def answers(self, *words: str, output: Json | str | bytes = "", errors: str = "", code: int = 0) -> None:
        """To a call with all these words; what is told first counts. Text ends with a newline, bytes as they do."""
        text = output if isinstance(output, str | bytes) else json.dumps(output)
        data = base64.b64encode(text if isinstance(text, bytes) else f"{text}\n".encode()).decode()
        with (self.folder / "answers").open("a") as answers:
            answers.write(json.dumps([words, data, errors, code]) + "\n")

    def agents(self, **phases: str) -> None:
        """Agent Pods by node, in their phases."""
        pods = [
            {"metadata": {"name": f"agent-{node}"}, "spec": {"nodeName": node}, "status": {"phase": phase}}
            for node, phase in phases.items()
        ]
        self.answers("get", "pods", output={"items": pods})

    @property
    def calls(self) -> list[list[str]]:
        """Its arguments, call by call."""
        return [json.loads(line)["argv"] for line in (self.folder / "calls").read_text().splitlines()]

    @property
    def kubeconfigs(self) -> set[str]:
        """The values of KUBECONFIG it was called with."""
        return {json.loads(line)["kubeconfig"] for line in (self.folder / "calls").read_text().splitlines()}


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text(SCRIPT.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(0o755)
    (tmp_path / "answers").touch()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return Kubectl(tmp_path)


@contextmanager
def interruptible(*words: str, **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """`kubectl vf WORDS` as a process that hears Ctrl-C, also where the tests themselves run in the background."""

    def hear() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    argv = [sys.executable, "-m", "libvf_cli", *words]
    process = subprocess.Popen(argv, text=True, preexec_fn=hear, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
