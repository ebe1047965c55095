"""What the hosts have and lack: `doctor`, `gpus`, `capture`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

import msgspec
import typer

from libvf_cli import capture as captures
from libvf_cli import doctor as examinations
from libvf_cli import gpus as cards
from libvf_cli.agents import Told
from libvf_cli.call import Call, command
from libvf_cli.completion import nodes

T = TypeVar("T")
PANEL = "Hosts and cards"
Node = Annotated[str | None, typer.Argument(metavar="NODE", help="only this one (default: all)", autocompletion=nodes)]


def register(app: typer.Typer) -> None:
    """Adds the commands."""

    @command(app, "what the hosts lack, and the cures; 1 if something fails", PANEL)
    def doctor(call: Call, node: Node = None) -> None:
        examined = examinations.examined(call.cluster, node)
        call.tell(examinations.text(examined), _nodes(examined))
        raise typer.Exit(int(examinations.failed(examined)))

    @command(app, "the cards, what they can be cut into and what is cut", PANEL)
    def gpus(call: Call, node: Node = None) -> None:
        listed = cards.listed(call.cluster, node)
        call.tell(cards.text(listed), _nodes(listed))
        raise typer.Exit(int(cards.failed(listed)))

    @command(app, "a host's cards as an archive that identifies nobody, to report what does not work", PANEL)
    def capture(
        call: Call,
        node: Annotated[str, typer.Argument(metavar="NODE", autocompletion=nodes)],
        card: Annotated[
            str | None, typer.Option(metavar="ADDRESS", help="only this PCI function and its company: 0000:65:00.0")
        ] = None,
        file: Annotated[
            str | None, typer.Option("--file", "-f", metavar="FILE", help="a new file (default: NODE-DATE.tar.gz)")
        ] = None,
    ) -> None:
        saved = captures.saved(call.cluster, node, card, file)
        call.tell(captures.text(saved), captures.document(saved))


def _nodes(told: Sequence[Told[T]]) -> object:
    nodes = [
        {"node": one.node, **(msgspec.to_builtins(one.answer) if one.answer else {"error": one.error})} for one in told
    ]
    return {"nodes": nodes}
