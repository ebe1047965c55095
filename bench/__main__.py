"""`python -m bench [--quick] [TOPIC ...]`: measures, and writes out/bench/TOPIC.json."""

import argparse
import datetime
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from bench.figures import Figure, NotHere, Result, this_machine, write
from bench.innode import bed
from bench.table import plain
from bench.topics import ALONE, IN_THE_LAB, TOPICS, topic
from lab import accelerator
from lab.progress import say, step

OUT = Path(__file__).resolve().parents[1] / "out" / "bench"


def main(arguments: list[str]) -> int:
    """Run the topics one after the other; one that fails is named, and the others run all the same."""
    options = _parser().parse_args(arguments)
    names, failed = options.topics or TOPICS, list[str]()
    first = [name for name in names if _beside_the_lab(name, options.quick)]
    with _lab_on_its_way(first, names):
        failed += _measured(first, options.quick)
    for name in names:
        if name in ALONE and name not in first:
            bed.switch_off()
        if name not in first:
            failed += _measured([name], options.quick)
    for line in failed:
        say(f"failed: {line}")
    return 1 if failed else 0


def _beside_the_lab(name: str, quick: bool) -> bool:
    """Whether a topic may run while the lab comes up: its figures are no times, or nobody reads them."""
    return name not in IN_THE_LAB and (quick or name not in ALONE)


def _lab_on_its_way(first: Sequence[str], names: Sequence[str]) -> AbstractContextManager[None]:
    return bed.coming_up() if first and IN_THE_LAB & set(names) else nullcontext()


def _measured(names: Sequence[str], quick: bool) -> list[str]:
    """Measure them; what failed, in words."""
    failed = []
    for name in names:
        try:
            _measure(name, quick)
        except Exception as error:
            traceback.print_exc()
            failed.append(f"{name}: {error}")
    return failed


def _measure(name: str, quick: bool) -> None:
    began = time.monotonic()
    figures, missing = list[Figure](), ""
    with step(f"measuring {name}"):
        try:
            for figure in topic(name).run(quick):
                say(f"  {plain(figure)}")
                figures.append(figure)
        except NotHere as error:
            missing = str(error)
            say(f"  not measured: {missing}")
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    result = Result(
        name, quick, date, time.monotonic() - began, this_machine(accelerator.known() or ""), tuple(figures), missing
    )
    say(f"written: {write(result, OUT / 'quick' if quick else OUT)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, written to out/bench/quick/")
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"of {', '.join(TOPICS)}")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
