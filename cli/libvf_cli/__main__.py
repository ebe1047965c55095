"""`kubectl vf COMMAND`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from libvf_cli.app import app


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; the exit codes are in docs/cli.md."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # a shell completes the program that it starts; to people it is a part of kubectl
    name = "kubectl-vf" if any("completion" in word for word in words) else "kubectl vf"
    try:
        app(args=words, prog_name=name)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
