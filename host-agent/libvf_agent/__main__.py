"""`python -m libvf_agent`."""

from __future__ import annotations

import asyncio
import os
import sys

from libvf_agent import logs
from libvf_agent.agent import run
from libvf_agent.config import Config
from libvf_agent.errors import AgentError


def main() -> int:
    """Runs the agent; returns the exit code."""
    logs.to_stdout()
    try:
        config = Config.from_environment(os.environ)
        asyncio.run(run(config))
    except (AgentError, ValueError, OSError) as error:
        print(f"libvf-agent: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
