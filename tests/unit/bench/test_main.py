"""A run goes on when a topic fails, and says which did."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import __main__ as program
from bench.figures import Figure, NotHere, read

FIGURE = Figure(name="one", value=1.0, unit="x", peer="a peer")


def _failing(quick: bool) -> Iterable[Figure]:
    raise RuntimeError("no lab")


def _missing(quick: bool) -> Iterable[Figure]:
    raise NotHere("no KVM")


RUNS = {"bad": _failing, "good": lambda quick: [FIGURE], "elsewhere": _missing}


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(program, "OUT", tmp_path)
    monkeypatch.setattr(program, "topic", lambda name: SimpleNamespace(run=RUNS[name]))
    return tmp_path


def test_what_fails_is_named_and_the_others_are_written(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["bad", "good"]) == 1
    assert "failed: bad: no lab" in capsys.readouterr().err
    assert [result.topic for result in read(out, ("bad", "good"))] == ["good"]


def test_a_quick_run_leaves_the_whole_ones_figures_alone(out: Path) -> None:
    assert program.main(["--quick", "good"]) == 0
    assert read(out, ("good",)) == []
    assert read(out / "quick", ("good",))[0].quick


def test_what_a_machine_cannot_show_is_no_failure(out: Path) -> None:
    assert program.main(["elsewhere"]) == 0
    [result] = read(out, ("elsewhere",))
    assert (result.figures, result.missing) == ((), "no KVM")


@pytest.fixture
def told(out: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done with the lab, and what is measured, in turn."""
    found: list[str] = []

    @contextmanager
    def coming_up() -> Iterator[None]:
        found.append("coming up")
        yield
        found.append("up")

    def topic(name: str) -> SimpleNamespace:
        def measured(quick: bool) -> Iterable[Figure]:
            found.append(name)
            return [FIGURE]

        return SimpleNamespace(run=measured)

    monkeypatch.setattr(program, "topic", topic)
    monkeypatch.setattr(program, "bed", SimpleNamespace(coming_up=coming_up, switch_off=lambda: found.append("off")))
    return found


def test_the_lab_comes_up_beside_what_takes_no_times_and_is_off_where_it_would_count(told: list[str]) -> None:
    assert program.main(["packing", "start", "operator"]) == 0
    assert told == ["coming up", "packing", "up", "start", "off", "operator"]


def test_a_quick_run_has_the_lab_come_up_beside_all_that_needs_none(told: list[str]) -> None:
    assert program.main(["--quick", "packing", "start", "operator"]) == 0
    assert told == ["coming up", "packing", "operator", "up", "start"]


def test_no_lab_comes_up_where_none_is_needed(told: list[str]) -> None:
    assert program.main(["packing"]) == 0
    assert told == ["packing"]


def test_the_lab_is_not_waited_for_beside_nothing(told: list[str]) -> None:
    assert program.main(["start"]) == 0
    assert told == ["start"]
