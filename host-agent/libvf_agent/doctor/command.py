"""`libvf_agent doctor`: looks and tells; it changes nothing."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec
from libvf_api.host import Severity

from libvf_agent.config import default_root, hook_file, state_folder
from libvf_agent.doctor import report
from libvf_agent.doctor.examination import count
from libvf_agent.doctor.facts import NodeInfo
from libvf_agent.doctor.look import look


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `doctor`."""
    parser.add_argument(
        "--root", type=Path, default=default_root(os.environ), help="root folder of the host (default: /)"
    )
    parser.add_argument("--kubelet", default="", metavar="VERSION", help="the Node's status.nodeInfo.kubeletVersion")
    parser.add_argument(
        "--runtime", default="", metavar="NAME", help="the Node's status.nodeInfo.containerRuntimeVersion"
    )
    parser.add_argument("--output", choices=("text", "json"), default="text", help="how to tell it (default: text)")


def run(options: argparse.Namespace) -> int:
    """Tells it; 1 where something fails, 0 where not."""
    hook = hook_file(state_folder(options.root, os.environ))
    found = look(options.root, hook, NodeInfo(options.kubelet, options.runtime))
    if options.output == "json":
        print(msgspec.json.encode(found).decode())
    else:
        print(report.text(found))
    return 1 if count(found, Severity.ERROR) else 0
