"""`kubectl vf COMMAND`: options in, a call of one command, its report out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from libvf_cli import capture, doctor, gpus
from libvf_cli.agents import Told
from libvf_cli.errors import CliError
from libvf_cli.kubectl import Kubectl

T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; 1 where it fails or something is found wrong."""
    options = _parser().parse_args(arguments)
    kubectl = Kubectl(_passed_on(options))
    try:
        if options.command == "doctor":
            examined = doctor.examined(kubectl, options.node)
            _print(examined, doctor.text(examined), options.output)
            return int(doctor.failed(examined))
        if options.command == "capture":
            print(capture.text(capture.saved(kubectl, options.node, options.card, options.output)))
            return 0
        listed = gpus.listed(kubectl, options.node)
        _print(listed, gpus.text(listed), options.output)
        return int(gpus.failed(listed))
    except CliError as error:
        print(f"kubectl-vf: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kubectl vf", description="GPU slices and virtual machines")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    told = {
        "doctor": "what the hosts lack, and the cures; 1 if something fails",
        "gpus": "the cards, what they can be cut into and what is cut",
    }
    for name, words in told.items():
        command = commands.add_parser(name, help=words, description=words)
        command.add_argument("node", nargs="?", metavar="NODE", help="only this one (default: all)")
        command.add_argument("--output", "-o", choices=("text", "json"), default="text", help="default: text")
    words = "a host's cards as an archive that identifies nobody, to report what does not work with them"
    command = commands.add_parser("capture", help=words, description=words)
    command.add_argument("node", metavar="NODE")
    command.add_argument("--card", metavar="ADDRESS", help="only this PCI function and its company: 0000:65:00.0")
    command.add_argument("--output", "-o", metavar="FILE", help="a new file (default: NODE-DATE.tar.gz)")
    for command in commands.choices.values():
        command.add_argument("--context", help="kubectl's own")
        command.add_argument("--kubeconfig", help="kubectl's own; else KUBECONFIG")
    return parser


def _passed_on(options: argparse.Namespace) -> tuple[str, ...]:
    values = {name: getattr(options, name) for name in ("context", "kubeconfig")}
    return tuple(f"--{name}={value}" for name, value in values.items() if value)


def _print(told: Sequence[Told[T]], text: str, output: str) -> None:
    if output == "text":
        print(text)
        return
    nodes = [
        {"node": one.node, **(msgspec.to_builtins(one.answer) if one.answer else {"error": one.error})} for one in told
    ]
    print(msgspec.json.format(msgspec.json.encode({"nodes": nodes})).decode())


if __name__ == "__main__":
    sys.exit(main())
