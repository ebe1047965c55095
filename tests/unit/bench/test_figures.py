"""What a run writes, and the machine it says it ran on."""

from pathlib import Path

from bench import held_back
from bench.figures import Figure, Machine, Result, read, this_machine, write
from bench.page import page, plotted

CPUINFO = "processor\t: 0\nmodel name\t: Example 9000\n\nprocessor\t: 1\nmodel name\t: Example 9000\n"
MACHINE = Machine(cpu="Example 9000", cores=2, memory_bytes=24 << 30, kernel="6.12", nodes="tcg")


def _result(topic: str) -> Result:
    figure = Figure(
        name="one",
        value=1.5,
        unit="x",
        peer="a plain Pod",
        goal=1.1,
        note="what holds it back",
        samples=(1.0, 1.5, 2.0),
    )
    return Result(topic, False, "2026-01-01", 2.0, MACHINE, (figure,))


def test_what_is_written_is_read_back_in_the_order_of_the_topics(tmp_path: Path) -> None:
    for topic in ("b", "a"):
        write(_result(topic), tmp_path)
    assert read(tmp_path, ("a", "missing", "b")) == [_result("a"), _result("b")]
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", "b.json"}


def test_the_machine_is_told_by_its_kernel(tmp_path: Path) -> None:
    (tmp_path / "sys/kernel").mkdir(parents=True)
    (tmp_path / "sys/kernel/osrelease").write_text("6.12\n")
    (tmp_path / "cpuinfo").write_text(CPUINFO)
    (tmp_path / "meminfo").write_text(f"MemTotal:  {24 << 20} kB\nMemFree: 1 kB\n")
    machine = this_machine("tcg", tmp_path)
    assert machine == MACHINE
    assert str(machine) == "2 x Example 9000, 24 GiB, Linux 6.12, node VMs emulated (TCG)"
    assert str(this_machine("", tmp_path)) == "2 x Example 9000, 24 GiB, Linux 6.12"


def test_the_page_says_what_holds_a_figure_back_and_on_what_it_was_measured() -> None:
    text = page([_result("start")])
    assert "at most 1.10: missed" in text
    assert "- one: what holds it back" in text
    assert str(MACHINE) in text
    assert "(bench/start.svg)" in text


def test_there_is_no_picture_of_a_single_number() -> None:
    single = Figure(name="one", value=1.5, unit="x", peer="a plain Pod")
    trend = [Figure(name="two", value=1.5, unit="x", peer="a plain Pod", at=size) for size in (100, 1_000)]
    assert plotted(Result("start", False, "2026-01-01", 2.0, MACHINE, (single, *trend))) == ["two"]


def test_what_misses_its_goal_is_told_once_with_its_cause() -> None:
    missed = [
        Figure(name="allocation rate", value=0.5, unit="x", peer="p", goal=0.8, better="higher", at=at) for at in (1, 2)
    ]
    reached = Figure(name="idle CPU", value=0.5, unit="x", peer="p", goal=1.0)
    [line] = held_back.told([*missed, reached])
    assert line.startswith("- **allocation rate** is held back by: ")
    assert "converts each device" in line
