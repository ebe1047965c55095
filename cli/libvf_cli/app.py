"""`kubectl vf`: all commands together."""

from __future__ import annotations

from typing import Annotated

import typer

from libvf_cli.call import options
from libvf_cli.commands import defrag, explain, hosts, importing, life, making, reach, screens

app = typer.Typer(
    name="kubectl-vf",
    help="Virtual machines with slices of GPUs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def before(
    ctx: typer.Context,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", metavar="NAME", help="kubectl's own")] = None,
    context: Annotated[str | None, typer.Option("--context", metavar="NAME", help="kubectl's own")] = None,
    kubeconfig: Annotated[
        str | None, typer.Option("--kubeconfig", metavar="FILE", help="kubectl's own; else KUBECONFIG")
    ] = None,
) -> None:
    """What stands before the command."""
    ctx.obj = options(namespace, context, kubeconfig)


for part in (making, importing, life, explain, defrag, screens, reach, hosts):
    part.register(app)
