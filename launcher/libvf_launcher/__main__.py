"""`libvf-launcher`: run the VM; with a command, ask the one that runs, or be a pipe to one of its sockets.

What only some commands need is imported there: many pipes may run in the Pod's memory, beside the one that launched.
"""

import contextlib
import json
import sys
import tempfile
from pathlib import Path

from libvf_launcher import proxy
from libvf_launcher.paths import Paths

USAGE = "usage: libvf-launcher [screenshot FILE|- | qmp COMMAND [JSON] | proxy vnc|spice|serial]"


def main(arguments: list[str], paths: Paths | None = None) -> int:
    """Carry out one command; returns the exit code."""
    paths = paths or Paths()
    match arguments:
        case []:
            return _launch(paths)
        case ["screenshot", "-"]:
            return _picture(paths)
        case ["screenshot", file]:
            return _ask(paths, "screendump", {"filename": file, "format": "png"})
        case ["proxy", name] if name in proxy.SOCKETS:
            return proxy.run(paths, name)
        case ["qmp", command]:
            return _ask(paths, command, None)
        case ["qmp", command, text]:
            return _ask(paths, command, json.loads(text))
    print(USAGE, file=sys.stderr)
    return 2


def _launch(paths: Paths) -> int:
    import asyncio

    from libvf_launcher import lifecycle

    termination = asyncio.run(lifecycle.run(paths))
    paths.termination.write_bytes(termination.encode())
    print(f"{termination.reason}: {termination.message}", flush=True)
    return 0 if termination.exit_code == 0 else 1


def _picture(paths: Paths) -> int:
    """The screen to standard output, so that a caller by exec has it in one go; QEMU itself writes only to files."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "screen.png")
        with contextlib.redirect_stdout(sys.stderr):
            code = main(["screenshot", str(file)], paths)
        if code == 0:
            sys.stdout.buffer.write(file.read_bytes())
            sys.stdout.flush()
        return code


def _ask(paths: Paths, command: str, arguments: dict[str, object] | None) -> int:
    import asyncio

    from qemu.qmp import QMPError

    from libvf_launcher.monitor import execute

    try:
        answer = asyncio.run(execute(paths.qmp_admin, command, arguments))
    except QMPError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
