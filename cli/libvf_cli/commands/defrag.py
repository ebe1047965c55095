"""`defrag`: what could run if others had other slices."""

from __future__ import annotations

from typing import Annotated

import typer
from libvf_api import names

from libvf_cli import defrag as planner
from libvf_cli import defrag_report, sources
from libvf_cli.call import Call, command
from libvf_cli.defrag_report import Answer
from libvf_cli.errors import KubectlFailed
from libvf_cli.kubectl import Json
from libvf_cli.machines import condition

PANEL = "Running"
_PARTITIONS = f"{names.PARTITIONS}.{names.GROUP}"


def register(app: typer.Typer) -> None:
    """Adds the command."""

    @command(app, "what could run if some machines moved; 1 if something could not even then", PANEL)
    def defrag(
        call: Call,
        gpu: Annotated[
            list[str] | None,
            typer.Option(metavar="SLICE", help="what might be asked for, as for create; else what waits; repeatable"),
        ] = None,
        moves: Annotated[int, typer.Option(min=0, max=6, help="at most so many")] = planner.MOST,
    ) -> None:
        partitions = _everywhere(call, _PARTITIONS)
        wanted = [("", _slice(text)) for text in gpu] if gpu else [(_name(p), p["spec"]) for p in _waiting(partitions)]
        answers = _answers(call, wanted, partitions, moves) if wanted else []
        call.tell(defrag_report.text(answers, moves), defrag_report.document(answers))
        raise typer.Exit(int(any(one.found.plan is None for one in answers)))


def _answers(call: Call, wanted: list[tuple[str, Json]], partitions: list[Json], moves: int) -> list[Answer]:
    slices: list[Json] = call.cluster.get("resourceslices.resource.k8s.io").get("items") or []
    claims = _everywhere(call, "resourceclaims.resource.k8s.io")
    cards = planner.pools(slices, claims, {_name(one): one["spec"] for one in partitions})
    return [Answer(name, spec, planner.room(spec, cards, moves)) for name, spec in wanted]


def _everywhere(call: Call, kind: str) -> list[Json]:
    """Of all namespaces where the user may see them: who has a slice is in the way from any."""
    try:
        return list(call.cluster.get(kind, "--all-namespaces").get("items") or [])
    except KubectlFailed:
        call.remark(
            f"{kind} of other namespaces are not seen, so theirs count as nobody's: that needs the right to list"
        )
        return list(call.kubectl.get(kind).get("items") or [])


def _waiting(partitions: list[Json]) -> list[Json]:
    """Those that somebody wants to use and that have no slice; one slice each, as several may have to be together."""
    return [
        one
        for one in partitions
        if (one.get("status") or {}).get("consumer")
        and condition(one, "Allocated").get("status") != "True"
        and one["spec"].get("count", 1) == 1
    ]


def _slice(text: str) -> Json:
    found = dict(sources.gpu(text, 0))
    return {key: value for key, value in found.items() if key != "name"}


def _name(partition: Json) -> str:
    return "/".join((partition["metadata"]["namespace"], partition["metadata"]["name"]))
