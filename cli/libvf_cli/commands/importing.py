"""`import`: a file of LibVF.IO's becomes resources."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
import yaml

from libvf_cli.call import Call, command
from libvf_cli.errors import BadInput
from libvf_cli.original.convert import Imported, imported
from libvf_cli.original.document import BadOriginal
from libvf_cli.original.storage import Storage
from libvf_cli.table import aligned

PANEL = "Making machines"
_HEAD = ("KEY", "VALUE", "BECOMES", "NOTE")
_LONGEST = 40  # characters of a value in the table


def register(app: typer.Typer) -> None:
    """Adds the command."""

    @command(app, "LibVF.IO's YAML as a VirtualMachine, with a word on every key that is not the same here", PANEL)
    def import_(
        call: Call,
        file: Annotated[str, typer.Argument(metavar="FILE", help="LibVF.IO's YAML; - reads the standard input")],
        name: Annotated[str, typer.Option(metavar="NAME", help="default: as in the file, else the file's own")] = "",
        claim: Annotated[
            str,
            typer.Option(metavar="NAME", help="the PersistentVolumeClaim that has the images (else paths of a node)"),
        ] = "",
        install: Annotated[bool, typer.Option("--install", help="attach the ISO and install from it")] = False,
        policies: Annotated[
            bool, typer.Option("--policies", help="also the GpuPolicies that the file hints at: cluster-wide")
        ] = False,
        apply: Annotated[bool, typer.Option("--apply", help="apply them, instead of printing YAML")] = False,
    ) -> None:
        text = _read(file)
        try:
            made = imported(text, Path(file).stem, Storage(claim, install), name)
        except BadOriginal as error:
            raise BadInput(f"{file}: {error}") from error
        documents = [made.machine, *(made.policies if policies else ())]
        applied = _apply(call, documents) if apply else ""
        if not call.json:
            call.remark(_told(made, policies))
        call.tell(
            applied or yaml.safe_dump_all(documents, sort_keys=False).rstrip(),
            {
                "machine": made.machine,
                "policies": made.policies,
                "notes": msgspec.to_builtins(made.notes),
                "remarks": made.remarks,
                "applied": applied.splitlines(),
            },
        )


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{file}: {getattr(error, 'strerror', None) or error}: name one of LibVF.IO's YAML files"
        ) from error


def _apply(call: Call, documents: list[dict[str, Any]]) -> str:
    """All or the first that is refused, which kubectl names."""
    text = yaml.safe_dump_all(documents, sort_keys=False)
    return call.kubectl.fetch("apply", "--filename=-", stdin=text).decode().strip()


def _told(made: Imported, policies: bool) -> str:
    rows = [(note.key, _short(note.value), note.field or "nothing", note.why) for note in made.told]
    remarks = [*made.remarks]
    if made.policies and not policies:
        remarks.append(f"{len(made.policies)} GpuPolicies are left out, as they hold for all nodes: --policies")
    return "\n".join([*([aligned(_HEAD, rows), ""] if rows else []), *remarks])


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]}.."
