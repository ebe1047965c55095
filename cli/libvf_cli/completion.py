"""What a shell is told while somebody types: `kubectl vf` through kubectl, and `kubectl-vf` itself by typer.

kubectl runs `kubectl_complete-vf` for its plugin, with the words behind `vf` as arguments, the last one unfinished; it
reads one proposal a line, with a tab before its description, and a last line `:<directive>` of cobra's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

import typer

_NO_FILES = 4  # cobra's ShellCompDirectiveNoFileComp
_FILES = 0
_SECONDS = 3.0
_FILE_OPTIONS = ("--file", "-f", "--kubeconfig", "--socket")
_FILE_COMMANDS = ("import", "screenshot")


def machines(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of VMs that begin so; none where the cluster does not answer soon, as a shell waits for it."""
    return _names(ctx, "virtualmachines.libvf.io", incomplete)


def nodes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of Nodes that begin so."""
    return _names(ctx, "nodes", incomplete)


def _names(ctx: typer.Context, kind: str, incomplete: str) -> list[str]:
    given = {**(ctx.find_root().obj or {}), **{k: v for k, v in ctx.params.items() if v}}
    options = [f"--{key}={given[key]}" for key in ("context", "kubeconfig", "namespace") if given.get(key)]
    argv = ["kubectl", *options, "get", kind, "--output=json", "--request-timeout=2s"]
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS)
        items = json.loads(done.stdout or b"{}").get("items", [])
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return []
    names = (item["metadata"]["name"] for item in items)
    return [name for name in names if name.startswith(incomplete)]


def main(arguments: Sequence[str] | None = None) -> int:
    """`kubectl_complete-vf WORD.. UNFINISHED`."""
    from libvf_cli.app import app

    words = list(sys.argv[1:] if arguments is None else arguments) or [""]
    # typer's own way for fish has just what cobra wants: a proposal and its words, by a tab
    os.environ |= {
        "_KUBECTL_VF_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": " ".join(("kubectl-vf", *words)),
    }
    with suppress(SystemExit):
        app(args=[], prog_name="kubectl-vf")
    files = any(word in _FILE_OPTIONS for word in words[-2:-1]) or words[0] in _FILE_COMMANDS
    print(f":{_FILES if files else _NO_FILES}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
