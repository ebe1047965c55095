"""Which NUMA nodes a guest could be put on, and what a guest says of its memory."""

from pathlib import Path

import pytest

from bench import numa
from bench.figures import NotHere
from lab.errors import LabError

_LINE = "536870912 bytes (512.0MB) copied, {} seconds, 1.0GB/s\r\n"
CONSOLE = "".join(map(_LINE.format, (9.0, 0.5, 0.4, 0.6)))


def _node(folder: Path, number: int, cpus: str, kilobytes: int) -> None:
    path = folder / f"node{number}"
    path.mkdir()
    (path / "cpulist").write_text(f"{cpus}\n")
    (path / "meminfo").write_text(f"Node {number} MemTotal:       {kilobytes} kB\nNode {number} MemFree:  1 kB\n")


def test_a_node_without_cpus_or_without_memory_is_none(tmp_path: Path) -> None:
    _node(tmp_path, 0, "0-3", 1 << 20)
    _node(tmp_path, 1, "", 1 << 20)
    _node(tmp_path, 2, "4-7", 0)
    _node(tmp_path, 10, "8-11", 1 << 20)
    assert [node.number for node in numa.host_nodes(tmp_path)] == [0, 10]


def test_a_machine_with_one_node_says_that_it_cannot_show_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _node(tmp_path, 0, "0-3", 1 << 20)
    monkeypatch.setattr(numa, "host_nodes", lambda: [numa.HostNode(0, "0-3")])
    with pytest.raises(NotHere, match="two are needed"):
        list(numa.run(quick=True))


def test_the_first_turn_of_a_guest_warms_up() -> None:
    assert numa.read(CONSOLE) == pytest.approx(512 / 0.5)


def test_a_guest_that_measured_nothing_is_quoted() -> None:
    with pytest.raises(LabError, match="Kernel panic"):
        numa.read("Kernel panic - not syncing")
