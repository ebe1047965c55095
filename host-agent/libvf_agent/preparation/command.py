"""`libvf_agent prepare`: reads, plans, tells, and applies or takes back as asked."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from libvf_agent.errors import PreparationError
from libvf_agent.preparation import report
from libvf_agent.preparation.commands import Commands, HostCommands
from libvf_agent.preparation.executor import Executor
from libvf_agent.preparation.manifest import Manifest, State
from libvf_agent.preparation.plan import plan
from libvf_agent.preparation.reader import read
from libvf_agent.preparation.root import HostRoot
from libvf_agent.preparation.undo import Undo
from libvf_agent.preparation.wishes import HugePages, Wishes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `prepare`."""
    parser.add_argument("--root", type=Path, default=Path("/"), help="root folder of the host (default: /)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--yes", action="store_true", help="apply the plan; without it the plan is only shown")
    what.add_argument("--undo", action="store_true", help="take everything back that was applied")
    parser.add_argument("--gvt", action="store_true", help="share an Intel GPU by GVT-g")
    parser.add_argument(
        "--xe-max-vfs", type=_positive, metavar="N", help="virtual functions a card of driver xe offers"
    )
    parser.add_argument(
        "--hugepages",
        action="append",
        default=[],
        metavar="SIZE=N",
        help="set aside at boot: 2Mi=N or 1Gi=N, repeatable",
    )
    parser.add_argument(
        "--kvm-user", action="append", default=[], metavar="NAME", help="make a member of the group kvm"
    )
    parser.add_argument("--output", choices=("text", "json"), default="text", help="how to tell it (default: text)")


def run(options: argparse.Namespace, commands: Commands | None = None) -> None:
    """Does what the options say; PreparationError where it can not."""
    root = HostRoot(options.root)
    if not options.root.is_dir():
        raise PreparationError(f"--root {options.root}: no such folder: name the root folder of a host")
    commands = commands or HostCommands(options.root)
    if options.undo:
        _undo(root, commands, options.output)
        return
    wishes = Wishes(
        gvt=options.gvt,
        xe_max_vfs=options.xe_max_vfs,
        hugepages=tuple(HugePages.parse(text) for text in options.hugepages),
        users=tuple(options.kvm_user),
    )
    facts = read(root)
    todo = plan(facts, wishes, (State(root).load() or Manifest()).due)
    if options.yes:
        Executor(root, commands).apply(todo)
    if options.output == "json":
        print(report.document(facts, todo, options.yes).decode())
    else:
        print(report.text(facts, todo, options.yes))


def _undo(root: HostRoot, commands: Commands, output: str) -> None:
    undo = Undo(root, commands)
    try:
        told = undo.run()
    finally:
        for line in undo.told if output == "text" else ():
            print(line)
    if output == "json":
        print(msgspec.json.encode({"undone": told, "reboot": {"needed": bool(told)}}).decode())
    else:
        print("Taken back; reboot for the kernel to forget it too." if told else "Nothing to take back.")
    sys.stdout.flush()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
