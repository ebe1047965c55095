"""`libvf-launcher`: run the VM; with a command, ask the one that runs, or be a pipe to one of its sockets.

What only some commands need is imported there: many pipes may run in the Pod's memory, beside the one that launched.
"""

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from libvf_launcher import proxy
from libvf_launcher.paths import Paths

if TYPE_CHECKING:
    from libvf_launcher.prepared import Prepared

USAGE = """\
usage: libvf-launcher [screenshot FILE|- | frame FILE|- | sound FILE SECONDS | qmp COMMAND [JSON] |
                       proxy vnc|spice|serial]"""


def main(arguments: list[str], paths: Paths | None = None) -> int:
    """Carry out one command; returns the exit code."""
    paths = paths or Paths()
    match arguments:
        case []:
            return _launch(paths)
        case ["screenshot", "-"]:
            return _picture(paths, "screenshot")
        case ["screenshot", file]:
            return _screenshot(paths, file)
        case ["frame", "-"]:
            return _picture(paths, "frame")
        case ["frame", file]:
            return _frame(paths, Path(file))
        case ["sound", file, seconds]:
            return _sound(paths, Path(file), float(seconds))
        case ["proxy", name] if name in proxy.SOCKETS:
            return proxy.run(paths, name)
        case ["qmp", command]:
            return _ask(paths, command, None)
        case ["qmp", command, text]:
            return _ask(paths, command, json.loads(text))
    print(USAGE, file=sys.stderr)
    return 2


def _launch(paths: Paths) -> int:
    from libvf_launcher import apart, openssl

    preparing = apart.begin(lambda: _prepared(paths))
    openssl.keep_out()
    import asyncio

    from libvf_launcher import lifecycle

    termination = asyncio.run(lifecycle.run(paths, preparing.result))
    paths.termination.write_bytes(termination.encode())
    print(f"{termination.reason}: {termination.message}", flush=True)
    return 0 if termination.exit_code == 0 else 1


def _prepared(paths: Paths) -> "Prepared":
    from libvf_launcher import preparation

    return preparation.prepare(paths)


def _screenshot(paths: Paths, file: str) -> int:
    from libvf_launcher import devices, graphics, preparation
    from libvf_launcher.errors import LaunchError

    try:
        launch = preparation.load(paths)
        refused = graphics.no_picture(launch, devices.read(launch, paths))
    except LaunchError as error:
        refused = str(error)
    if refused:
        print(f"screenshot: {refused}", file=sys.stderr)
        return 1
    return _ask(paths, "screendump", {"filename": file, "format": "png"})


def _frame(paths: Paths, file: Path) -> int:
    from libvf_launcher import kvmfr, lookingglass, shared

    try:
        frame = shared.save_frame(lookingglass.file(paths), file)
    except kvmfr.NoFrame as error:
        print(f"frame: {error}", file=sys.stderr)
        return 1
    told = {"serial": frame.serial, "width": frame.width, "height": frame.height, "truncated": frame.truncated}
    print(json.dumps(told))
    return 0


def _sound(paths: Paths, file: Path, seconds: float) -> int:
    from libvf_launcher import scream, shared, sound

    try:
        print(json.dumps({"seconds": round(shared.save_sound(sound.file(paths), file, seconds), 3)}))
    except scream.NoSound as error:
        print(f"sound: {error}", file=sys.stderr)
        return 1
    return 0


def _picture(paths: Paths, command: str) -> int:
    """A command's picture to standard output, so that a caller by exec has it in one go; QEMU writes only to files."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "screen.png")
        with contextlib.redirect_stdout(sys.stderr):
            code = main([command, str(file)], paths)
        if code == 0:
            sys.stdout.buffer.write(file.read_bytes())
            sys.stdout.flush()
        return code


def _ask(paths: Paths, command: str, arguments: dict[str, object] | None) -> int:
    from libvf_launcher import openssl

    openssl.keep_out()
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
