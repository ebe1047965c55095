"""`python -m bench.page`: docs/bench.md with its plots, and the README's table, from the JSON in out/bench/."""

import sys
from pathlib import Path

from bench import held_back
from bench.figures import Result, read
from bench.table import put, table, title
from bench.topics import TOPICS
from lab.progress import say

REPOSITORY = Path(__file__).resolve().parents[1]

_HEAD = """\
# What it costs

Every figure is a ratio or a difference against a peer that was measured in the same run: seconds differ from machine to
machine, these hardly do. `make bench` measures them and writes this page; `make bench-quick` sees whether all of it
works. A figure that misses its goal stands here as it is, with what holds it back.
"""


def page(results: list[Result]) -> str:
    """The page in Markdown; its plots are bench/TOPIC.svg beside it."""
    parts = [_HEAD, f"Measured on {_machines(results)}."]
    for result in results:
        parts.append(f"\n## {result.topic.capitalize()}\n")
        if result.missing:
            parts.append(f"Not measured: {result.missing}.")
        if not result.figures:
            continue
        parts.append(table([result]) + "\n")
        parts += [f"- {title(figure)}: {figure.note}" for figure in result.figures if figure.note]
        parts += held_back.told(result.figures)
        if plotted(result):
            parts += [f"\n![Figures of {result.topic}, goals dashed](bench/{result.topic}.svg)"]
    return "\n".join(parts) + "\n"


def plotted(result: Result) -> list[str]:
    """The names of the figures of which there is something to see: a trend, or samples."""
    names = dict.fromkeys(figure.name for figure in result.figures)
    by_name = {name: [figure for figure in result.figures if figure.name == name] for name in names}
    return [name for name, figures in by_name.items() if len(figures) > 1 or len(figures[0].samples) > 2]


def readme_table(results: list[Result]) -> str:
    """What stands in the README: the figures that have a goal, and the machine."""
    machine = f"Measured by `make bench` on {_machines(results)}"
    return f"{table(results, goals_only=True)}\n\n{machine}. [What holds back those that missed](docs/bench.md)."


def main() -> int:
    """Write all of it."""
    from bench.plots import plot  # the text needs no matplotlib, which the tests do without

    results = read(REPOSITORY / "out" / "bench", TOPICS)
    if not results:
        say("nothing is measured yet: `python -m bench` first")
        return 1
    folder = REPOSITORY / "docs" / "bench"
    folder.mkdir(exist_ok=True)
    for result in results:
        if names := plotted(result):
            plot(result, names, folder / f"{result.topic}.svg")
    (REPOSITORY / "docs" / "bench.md").write_text(page(results))
    readme = REPOSITORY / "README.md"
    readme.write_text(put(readme.read_text(), readme_table(results)))
    return 0


def _machines(results: list[Result]) -> str:
    """One machine, as a rule; where topics were run on several, all of them with their dates."""
    said = {f"{result.machine} ({result.date})": None for result in results}
    return "; ".join(said)


if __name__ == "__main__":
    sys.exit(main())
