"""CPU and memory as /proc tells them."""

import os
import time
from pathlib import Path

from bench.process import cpu_seconds, memory, sampled, usage

STAT = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 100 1 1 1"
ROLLUP = "55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:  2048 kB\nPss:  1024 kB\nPss_Anon: 1000 kB\nSwap:  0 kB\n"


def _process(proc: Path) -> None:
    (proc / "7").mkdir()
    (proc / "7/stat").write_text(STAT)
    (proc / "7/smaps_rollup").write_text(ROLLUP)


def test_user_and_system_time_are_one_whatever_the_program_is_called(tmp_path: Path) -> None:
    _process(tmp_path)
    assert cpu_seconds(7, tmp_path) == 300 / os.sysconf("SC_CLK_TCK")


def test_memory_is_in_bytes(tmp_path: Path) -> None:
    _process(tmp_path)
    assert memory(7, tmp_path)["Pss_Anon"] == 1000 * 1024
    found = usage(7, tmp_path)
    assert (found.rss, found.pss) == (2 << 20, 1 << 20)


def test_a_process_is_sampled_while_it_works() -> None:
    with sampled(os.getpid(), 0.01) as samples:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            sum(range(1000))
    assert len(samples.usages) >= 2
    assert samples.usages[-1].cpu >= samples.usages[0].cpu
    assert len(samples.times) == len(samples.usages)
