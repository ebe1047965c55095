"""Figures as text, and the place of a table in a page."""

import pytest

from bench.figures import Figure, Machine, Result
from bench.table import BEGIN, END, measured, number, plain, put, table

MACHINE = Machine(cpu="Example 9000", cores=2, memory_bytes=24 << 30, kernel="6.12", nodes="tcg")


def figure(name: str = "start", **more: object) -> Figure:
    return Figure(**{"name": name, "value": 1.234, "unit": "x", "peer": "a plain Pod", **more})  # type: ignore[arg-type]


def result(*figures: Figure) -> Result:
    return Result("start", False, "2026-01-01", 1.0, MACHINE, figures)


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.01234, "0.0123"), (0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346")],
)
def test_three_digits_count(value: float, told: str) -> None:
    assert number(value) == told
    assert number(-value) == f"-{told}"


@pytest.mark.parametrize(
    ("better", "goal", "reached"),
    [("lower", 1.3, True), ("lower", 1.2, False), ("higher", 1.2, True), ("higher", 1.3, False), ("lower", None, None)],
)
def test_a_goal_has_a_side(better: str, goal: float | None, reached: bool | None) -> None:
    assert figure(better=better, goal=goal).reached is reached


def test_a_figure_that_falls_short_says_so() -> None:
    assert plain(figure(goal=1.1)) == "start: 1.23 x against a plain Pod (at most 1.10: missed)"
    assert plain(figure(goal=1.3)) == "start: 1.23 x against a plain Pod (at most 1.30)"
    assert plain(figure()) == "start: 1.23 x against a plain Pod"
    assert measured(figure(unit="ms")) == "1.23 ms"


def test_the_table_has_a_row_for_each_figure_with_its_size() -> None:
    rows = table([result(figure(at=100), figure(at=1_000, goal=1.3))]).splitlines()[2:]
    assert rows == [
        "| start at 100 | 1.23 x | a plain Pod |  |",
        "| start at 1,000 | 1.23 x | a plain Pod | at most 1.30 |",
    ]


def test_the_short_table_has_goals_alone_each_at_its_largest_size() -> None:
    figures = [figure(at=100, goal=1.3), figure(at=1_000, goal=1.3), figure("information"), figure("other", goal=2.0)]
    rows = table([result(*figures)], goals_only=True).splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == ["start at 1,000", "other"]


def test_a_page_is_changed_between_its_markers_alone() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert put(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert put(put(page, "new"), "new") == put(page, "new")


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END} {BEGIN}"])
def test_a_page_without_a_place_is_not_written(page: str) -> None:
    with pytest.raises(ValueError, match="no place for the table"):
        put(page, "new")
