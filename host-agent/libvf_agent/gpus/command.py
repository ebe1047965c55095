"""`libvf_agent gpus`: the list, without the API server and without the journal's lock.

It goes by the policies that the agent of this host has read last.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec

from libvf_agent import last_policies
from libvf_agent.backends.known import known
from libvf_agent.cards import Part, cards_of
from libvf_agent.config import default_root, state_folder
from libvf_agent.doctor.reader import read
from libvf_agent.gpus.listing import listed, text
from libvf_agent.journal import peek
from libvf_agent.sysfs import HostFiles, Sysfs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `gpus`."""
    parser.add_argument(
        "--root", type=Path, default=default_root(os.environ), help="root folder of the host (default: /)"
    )
    parser.add_argument("--output", choices=("text", "json"), default="text", help="how to tell it (default: text)")


def run(options: argparse.Namespace) -> int:
    """Prints the list."""
    state = state_folder(options.root, os.environ)
    sysfs, rules = Sysfs(HostFiles(str(options.root))).snapshot(), last_policies.read(state).book.rules
    sliced = [card.gpu for card in cards_of(Part(b, gpu) for b in known() for gpu in b.discover(sysfs, rules))]
    cards = [gpu.card for gpu in read(options.root, state).gpus]
    found = listed(sliced, cards, peek(state / "journal"))
    print(msgspec.json.encode(found).decode() if options.output == "json" else text(found))
    return 0
