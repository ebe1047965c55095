"""Figures as text: a line, and a table in Markdown."""

from collections.abc import Sequence

from bench.figures import Figure, Result

BEGIN, END = "<!-- bench: made by `make bench` -->", "<!-- /bench -->"


def number(value: float) -> str:
    """Three digits that count, and no exponent: 0.0123, 1.23, 12.3, 1,235."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    digits = 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4
    return f"{value:.{digits}f}"


def measured(figure: Figure) -> str:
    """The value with its unit."""
    return f"{number(figure.value)} {figure.unit}"


def goal(figure: Figure) -> str:
    """The goal as a limit, with what came of it."""
    if figure.goal is None:
        return ""
    side = "at most" if figure.better == "lower" else "at least"
    return f"{side} {number(figure.goal)}{'' if figure.reached else ': missed'}"


def title(figure: Figure) -> str:
    """The name, with the size where there is one."""
    return figure.name if figure.at is None else f"{figure.name} at {figure.at:,.0f}"


def plain(figure: Figure) -> str:
    """One line for a terminal."""
    limit = goal(figure)
    return f"{title(figure)}: {measured(figure)} against {figure.peer}{limit and f' ({limit})'}"


def table(results: Sequence[Result], goals_only: bool = False) -> str:
    """All figures in Markdown; `goals_only` for those that have a goal, the largest size of each."""
    rows = [figure for result in results for figure in _chosen(result, goals_only)]
    lines = ["| | measured | against | goal |", "|---|---|---|---|"]
    lines += [f"| {title(each)} | {measured(each)} | {each.peer} | {goal(each)} |" for each in rows]
    return "\n".join(lines)


def put(page: str, text: str) -> str:
    """`page` with `text` between the two markers; a page without them is an error of whoever wrote it."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no place for the table: put {BEGIN} and {END} where it belongs")
    return f"{head}{BEGIN}\n{text}\n{END}{tail}"


def _chosen(result: Result, goals_only: bool) -> list[Figure]:
    if not goals_only:
        return list(result.figures)
    with_goal = [each for each in result.figures if each.goal is not None]
    largest = {each.name: max((other.at or 0) for other in with_goal if other.name == each.name) for each in with_goal}
    return [each for each in with_goal if (each.at or 0) == largest[each.name]]
