"""`python -m lab build|bundle|up|down|status|exec|logs|kill|start|reset`: the test bed from the command line."""

import argparse
import os
import sys
from pathlib import Path

from lab import workstation
from lab.errors import LabError
from lab.progress import say
from lab.testbed import NUMA_NODE, Testbed, prepare


def main(arguments: list[str]) -> int:
    """Carry out one command; errors end with one message and exit code 1."""
    options = _parser().parse_args(arguments)
    try:
        return _COMMANDS[options.command](Testbed(), options)
    except LabError as error:
        say(f"error: {error}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="make what is missing and start nothing")
    bundle = commands.add_parser("bundle", help="the one file that makes a Debian host a workstation")
    bundle.add_argument("file", type=Path, help="where to put it: libvf-workstation.pyz")
    up = commands.add_parser("up", help="make what is missing and bring everything up")
    up.add_argument("--nodes", type=int, default=1, help="how many node VMs (default 1)")
    up.add_argument("--numa", action="store_true", help=f"and {NUMA_NODE}, with two NUMA nodes")
    commands.add_parser("down", help="end everything, keep its state")
    commands.add_parser("reset", help="end everything and forget its state")
    commands.add_parser("status", help="say what runs")
    execute = commands.add_parser("exec", help="run a command in a node: exec n1 -- uname -r")
    execute.add_argument("node")
    execute.add_argument("argv", nargs=argparse.REMAINDER)
    for name, text in (("logs", "print a node's console"), ("kill", "cut a node's power"), ("start", "power it on")):
        commands.add_parser(name, help=text).add_argument("node")
    return parser


def _build(_: Testbed, __: argparse.Namespace) -> int:
    prepare()
    return 0


def _bundle(_: Testbed, options: argparse.Namespace) -> int:
    workstation.write(options.file)
    return 0


def _up(lab: Testbed, options: argparse.Namespace) -> int:
    lab.up(options.nodes)
    if options.numa:
        lab.up_numa()
    say(f"the lab is up: export KUBECONFIG={lab.kubeconfig}")
    return 0


def _down(lab: Testbed, _: argparse.Namespace) -> int:
    lab.down()
    return 0


def _reset(lab: Testbed, _: argparse.Namespace) -> int:
    lab.reset()
    return 0


def _status(lab: Testbed, _: argparse.Namespace) -> int:
    print(f"control plane: {'ready' if lab.answers() else 'down'}")
    for node in lab.nodes():
        print(f"{node.name}: {'running' if node.daemon.running() else 'off'}  {node.address.ip}")
    return 0


def _exec(lab: Testbed, options: argparse.Namespace) -> int:
    argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    command = lab.node(options.node).ssh(argv)
    os.execvp(command[0], command)


def _logs(lab: Testbed, options: argparse.Namespace) -> int:
    sys.stdout.write(lab.node(options.node).console.read_text(errors="replace"))
    return 0


def _kill(lab: Testbed, options: argparse.Namespace) -> int:
    lab.node(options.node).kill()
    return 0


def _start(lab: Testbed, options: argparse.Namespace) -> int:
    lab.start(options.node)
    lab.wait_ready([options.node])
    return 0


_COMMANDS = {
    "build": _build,
    "bundle": _bundle,
    "up": _up,
    "down": _down,
    "reset": _reset,
    "status": _status,
    "exec": _exec,
    "logs": _logs,
    "kill": _kill,
    "start": _start,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
