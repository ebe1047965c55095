"""`libvf_agent capture`: the archive, into a file or to who reads standard output."""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from pathlib import Path

from libvf_api.capture import pack

from libvf_agent.capture.bounded import BoundedFiles
from libvf_agent.capture.look import capture
from libvf_agent.config import default_root
from libvf_agent.errors import CaptureError

STANDARD_OUTPUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `capture`."""
    parser.add_argument(
        "--root", type=Path, default=default_root(os.environ), help="root folder of the host (default: /)"
    )
    parser.add_argument("--card", metavar="ADDRESS", help="only this PCI function and its company: 0000:65:00.0")
    parser.add_argument(
        "--output", default=STANDARD_OUTPUT, metavar="FILE", help="a new file; - is standard output (default: -)"
    )


def run(options: argparse.Namespace) -> int:
    """Writes the archive; a file that is there is left alone."""
    if options.output == STANDARD_OUTPUT and sys.stdout.isatty():
        raise CaptureError("an archive is nothing for a terminal: name a file with --output")
    if not (options.root / "sys").is_dir():
        raise CaptureError(f"there is no folder sys in {options.root}: name the root folder of a host with --root")
    archive = pack(capture(BoundedFiles(str(options.root)), uuid.uuid4(), _names(), options.card))
    if options.output == STANDARD_OUTPUT:
        sys.stdout.buffer.write(archive)
        sys.stdout.flush()
        return 0
    try:
        with open(options.output, "xb") as file:
            file.write(archive)
    except FileExistsError as error:
        raise CaptureError(f"{options.output} is there already: name another file with --output") from error
    print(f"{options.output}: look at it before you send it (docs/capture.md says how)")
    return 0


def _names() -> tuple[str, ...]:
    """A Node may be called otherwise than its host."""
    return tuple(filter(None, [os.environ.get("NODE_NAME", "")]))
