"""`python -m libvf_agent`: the agent itself; with a command, what a person asks of one host."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from libvf_agent.capture import command as capture
from libvf_agent.doctor import command as doctor
from libvf_agent.errors import AgentError
from libvf_agent.gpus import command as gpus
from libvf_agent.preparation import command as prepare


def main(arguments: list[str] | None = None) -> int:
    """Runs what is asked for; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "prepare":
                prepare.run(options)
            case "doctor":
                return doctor.run(options)
            case "gpus":
                return gpus.run(options)
            case "capture":
                return capture.run(options)
            case _:
                _agent()
    except (AgentError, ValueError, OSError) as error:
        print(f"libvf-agent: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="libvf_agent", description="without a command: the host agent")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    prepare.add_arguments(commands.add_parser("prepare", help="make this host ready: shows a plan, --yes applies it"))
    doctor.add_arguments(commands.add_parser("doctor", help="what this host lacks, and the cure; 1 if something fails"))
    gpus.add_arguments(commands.add_parser("gpus", help="the cards, what they can be cut into and what is cut"))
    capture.add_arguments(commands.add_parser("capture", help="this host's cards as an archive that identifies nobody"))
    return parser


def _agent() -> None:
    # imported here, as who looks at a host or prepares it needs neither gRPC nor a Kubernetes client
    from libvf_agent import logs
    from libvf_agent.agent import run
    from libvf_agent.config import Config

    logs.to_stdout()
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    sys.exit(main())
