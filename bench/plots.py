"""Plots as SVG: a trend where a figure has several sizes, else the samples of each as a box."""

from pathlib import Path
from typing import Any

import matplotlib

from bench.figures import Figure, Result

matplotlib.use("svg")
from matplotlib import pyplot

# the same input makes the same file: no date, and ids that are not random
_SETTINGS = {"svg.hashsalt": "libvf", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False}


def plot(result: Result, path: Path) -> None:
    """One SVG with a small plot for every figure's name."""
    names = list(dict.fromkeys(figure.name for figure in result.figures))
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    with pyplot.rc_context(_SETTINGS):
        drawing, axes = pyplot.subplots(rows, columns, figsize=(4 * columns, 2.6 * rows), squeeze=False)
        for axis in axes.flat[len(names) :]:
            axis.set_visible(False)
        for axis, name in zip(axes.flat, names, strict=False):
            _one(axis, [figure for figure in result.figures if figure.name == name])
        drawing.tight_layout()
        drawing.savefig(path, format="svg", metadata={"Date": None})
        pyplot.close(drawing)


def _one(axis: Any, figures: list[Figure]) -> None:
    first = figures[0]
    axis.set_title(first.name, fontsize=9)
    axis.set_ylabel(first.unit)
    sizes = [figure.at for figure in figures if figure.at is not None]
    if len(sizes) > 1:
        axis.plot(sizes, [figure.value for figure in figures], marker="o")
        axis.set_xscale("log")
        axis.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
        axis.minorticks_off()
    elif len(first.samples) > 1:
        axis.boxplot([first.samples], orientation="horizontal", tick_labels=[""])
        axis.set_ylabel("")
        axis.set_xlabel(first.unit)
    else:
        axis.bar([first.peer], [first.value], width=0.4)
    if first.goal is not None:
        line = axis.axvline if len(sizes) < 2 and len(first.samples) > 1 else axis.axhline
        line(first.goal, linestyle="--", color="gray")
    if len(sizes) > 1 or len(first.samples) < 2:
        axis.set_ylim(bottom=min(0.0, *(figure.value for figure in figures)) if len(figures) > 1 else None)
