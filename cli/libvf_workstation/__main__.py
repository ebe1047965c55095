"""`libvf-workstation up|down|status`: options in, what is done told on the way."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from libvf_workstation import command
from libvf_workstation.errors import WorkstationError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; 1 where it fails."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = getattr(command, options.command)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # in order with the progress
    try:
        return run(options)
    except WorkstationError as error:
        print(f"libvf-workstation: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("libvf-workstation: interrupted; run it again and it goes on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    words = "this host as a single node with libvf on it, and back"
    parser = argparse.ArgumentParser(prog="libvf-workstation", description=words)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    up = commands.add_parser("up", help="make it so; without --yes only the plan is shown")
    down = commands.add_parser("down", help="take all of it back; without --yes only what would be removed is shown")
    commands.add_parser("status", help="what runs; 1 if something does not")
    for parser_of in (up, down):
        parser_of.add_argument("--yes", action="store_true", help="do it")
        parser_of.add_argument(
            "--kubeconfig", type=Path, metavar="FILE", help="of the cluster that is there already (default: looked for)"
        )
        parser_of.add_argument(
            "--overlay",
            type=Path,
            metavar="DIR",
            help="the manifests for a cluster that is there already, with images that its nodes can pull",
        )
    up.add_argument(
        "--bundle", type=Path, metavar="FILE", help="what to install (default: the file that this is run from)"
    )
    up.add_argument("--own", action="store_true", help="a node of its own, whatever cluster is there already")
    up.add_argument("--pods", default="10.244.0.0/24", metavar="NETWORK", help="of the Pods (default: %(default)s)")
    up.add_argument(
        "--card",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="give this card to machines as a whole: 0000:65:00.0",
    )
    up.add_argument("--even-the-desktop", action="store_true", help="even if a card drives the desktop")
    down.add_argument("--delete-volumes", action="store_true", help="PersistentVolumes too, with all that is in them")
    return parser


if __name__ == "__main__":
    sys.exit(main())
