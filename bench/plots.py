"""Plots as SVG: a trend where a figure has several sizes, a box where it has several samples."""

import textwrap
from pathlib import Path
from typing import Any

import matplotlib

from bench.figures import Figure, Result

matplotlib.use("svg")
from matplotlib import pyplot

# the same input makes the same file: no date, and ids that are not random
_SETTINGS = {"svg.hashsalt": "libvf", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
_COLUMNS = 3


def plot(result: Result, names: list[str], path: Path) -> None:
    """One SVG with a small plot for each of these figures."""
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    with pyplot.rc_context(_SETTINGS):
        drawing, axes = pyplot.subplots(rows, columns, figsize=(3.6 * columns, 2.6 * rows), squeeze=False)
        for axis in axes.flat[len(names) :]:
            axis.set_visible(False)
        for axis, name in zip(axes.flat, names, strict=False):
            _one(axis, [figure for figure in result.figures if figure.name == name])
        drawing.tight_layout()
        drawing.savefig(path, format="svg", metadata={"Date": None})
        pyplot.close(drawing)


def _one(axis: Any, figures: list[Figure]) -> None:
    first = figures[0]
    axis.set_title(textwrap.fill(first.name, 38), fontsize=9)
    if len(figures) > 1:
        _trend(axis, figures)
    else:
        axis.boxplot([first.samples], orientation="horizontal", widths=0.4, tick_labels=[""])
        axis.set_xlabel(first.unit)
    if first.goal is not None:
        line = axis.axhline if len(figures) > 1 else axis.axvline
        line(first.goal, linestyle="--", color="gray")


def _trend(axis: Any, figures: list[Figure]) -> None:
    sizes, values = [figure.at for figure in figures], [figure.value for figure in figures]
    axis.plot(sizes, values, marker="o")
    axis.set_xscale("log")
    axis.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
    axis.minorticks_off()
    axis.set_ylabel(figures[0].unit)
    shown = [0.0, *values, *(figure.goal for figure in figures if figure.goal is not None)]
    axis.set_ylim(min(shown), 1.1 * max(shown))
