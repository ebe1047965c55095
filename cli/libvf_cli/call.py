"""One call of a command: kubectl's own options, how to answer, and what becomes of an error.

Every command has the same options for the cluster and the output. They are added where a command is registered, so that
a command's function has only what is its own.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Annotated, Any, get_type_hints

import msgspec
import typer

from libvf_cli.completion import machines
from libvf_cli.errors import CliError
from libvf_cli.kubectl import Kubectl


class Output(StrEnum):
    """Who reads the answer: people, or a program."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Call:
    """`kubectl` is within the user's namespace; `cluster` within none, for what belongs to the installation."""

    kubectl: Kubectl
    cluster: Kubectl
    output: Output = Output.TEXT

    @property
    def json(self) -> bool:
        """Whether a program reads it."""
        return self.output is Output.JSON

    def tell(self, text: str, document: object) -> None:
        """The answer, in the form that was asked for."""
        print(msgspec.json.format(msgspec.json.encode(document)).decode() if self.json else text, flush=True)

    def remark(self, text: str) -> None:
        """Something beside the answer, for people; it never mixes with the answer."""
        print(text, file=sys.stderr, flush=True)


Name = Annotated[str, typer.Argument(metavar="NAME", help="the VirtualMachine", autocompletion=machines)]
_OUTPUT = Annotated[Output, typer.Option("--output", "-o", help="json for programs")]
_COMMON: dict[str, Any] = {
    "namespace": Annotated[str | None, typer.Option("--namespace", "-n", metavar="NAME", help="kubectl's own")],
    "context": Annotated[str | None, typer.Option("--context", metavar="NAME", help="kubectl's own")],
    "kubeconfig": Annotated[
        str | None, typer.Option("--kubeconfig", metavar="FILE", help="kubectl's own; else KUBECONFIG")
    ],
}


def command(
    app: typer.Typer, words: str, panel: str, raw: bool = False, name: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers a function as a command; `raw` is one whose output is a guest's own, and so has no form to choose."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own, grouped = _own(function)
        added = {**_COMMON, **({} if raw else {"output": _OUTPUT})}

        def run(ctx: typer.Context, **values: Any) -> None:
            given = {key: values.pop(key, None) for key in (*_COMMON, "output")}
            for name, kind in grouped.items():
                values[name] = kind(**{each.name: values.pop(each.name) for each in fields(kind)})
            _carry_out(function, _call(ctx, given), values)

        parameters = [
            inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
            *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own),
            *(
                inspect.Parameter(
                    key,
                    inspect.Parameter.KEYWORD_ONLY,
                    annotation=kind,
                    default=Output.TEXT if key == "output" else None,
                )
                for key, kind in added.items()
            ),
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(name or function.__name__.rstrip("_").replace("_", "-"), help=words, rich_help_panel=panel)(run)
        return function

    return register


def _own(function: Callable[..., None]) -> tuple[list[inspect.Parameter], dict[str, Any]]:
    """A function's own parameters; those whose type is a dataclass stand for an option for each of its fields."""
    found, grouped = [], {}
    for each in list(inspect.signature(function, eval_str=True).parameters.values())[1:]:
        if not is_dataclass(each.annotation):
            found.append(each)
            continue
        grouped[each.name] = each.annotation
        hints = get_type_hints(each.annotation, include_extras=True)
        found += [
            inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
            for one in fields(each.annotation)
        ]
    return found, grouped


def options(namespace: str | None, context: str | None, kubeconfig: str | None) -> dict[str, str]:
    """kubectl's own options, those that were given."""
    given = {"context": context, "kubeconfig": kubeconfig, "namespace": namespace}
    return {key: value for key, value in given.items() if value}


def kubectl_of(given: dict[str, str]) -> Kubectl:
    """The door, with these options."""
    return Kubectl(tuple(f"--{key}={value}" for key, value in given.items()))


def _call(ctx: typer.Context, given: dict[str, Any]) -> Call:
    """What stands behind the command counts more than what stands before it."""
    before: dict[str, str] = ctx.find_root().obj or {}
    found = before | options(given["namespace"], given["context"], given["kubeconfig"])
    cluster = {key: value for key, value in found.items() if key != "namespace"}
    return Call(kubectl_of(found), kubectl_of(cluster), given["output"] or Output.TEXT)


def _carry_out(function: Callable[..., None], call: Call, values: dict[str, Any]) -> None:
    try:
        function(call, **values)
    except CliError as error:
        if call.json:
            print(msgspec.json.encode({"error": str(error)}).decode(), file=sys.stderr)
        else:
            print(f"kubectl-vf: {error}", file=sys.stderr)
        raise typer.Exit(error.code) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(130) from error
