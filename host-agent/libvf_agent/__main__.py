"""`python -m libvf_agent`: the agent itself; `python -m libvf_agent prepare`: makes a host ready for it."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from libvf_agent.errors import AgentError
from libvf_agent.preparation import command


def main(arguments: list[str] | None = None) -> int:
    """Runs what is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="libvf_agent", description="without a command: the host agent")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    command.add_arguments(commands.add_parser("prepare", help="make this host ready: shows a plan, --yes applies it"))
    options = parser.parse_args(arguments)
    try:
        if options.command == "prepare":
            command.run(options)
        else:
            _agent()
    except (AgentError, ValueError, OSError) as error:
        print(f"libvf-agent: {error}", file=sys.stderr)
        return 1
    return 0


def _agent() -> None:
    # imported here, as a host that is only prepared needs neither gRPC nor a Kubernetes client
    from libvf_agent import logs
    from libvf_agent.agent import run
    from libvf_agent.config import Config

    logs.to_stdout()
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    sys.exit(main())
