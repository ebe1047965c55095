"""What NVIDIA's driver and its tool write is read as they mean it, and nothing that they write breaks the reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libvf_agent.nvidia_types import GIB, Said, VgpuType, creatable, current, said, size_of, supported

LIST = """ID    : vGPU Name
1145  : NVIDIA L40S-1B
1147  : NVIDIA L40S-1Q
1562  : NVIDIA RTX Pro 6000 Blackwell DC-12Q
"""

# cut from `nvidia-smi vgpu -s -v`, R580
SUPPORTED = """GPU 00000000:8C:00.0
    vGPU Type ID                          : 0x5ee
        Name                              : NVIDIA RTX Pro 6000 Blackwell DC-2B
        Class                             : NVS
        GPU Instance Profile ID           : N/A
        Max Instances                     : 32
        Max Instances Per VM              : 1
        Max Instances Per GI              : N/A
        FB Memory                         : 2048 MiB
    vGPU Type ID                          : 0x5f1
        Name                              : NVIDIA RTX Pro 6000 Blackwell DC-4Q
        GPU Instance Profile ID           : N/A
        Max Instances                     : 24
        Max Instances Per VM              : 16
        FB Memory                         : 4096 MiB
    vGPU Type ID                          : 0x60a
        Name                              : NVIDIA RTX Pro 6000 Blackwell DC-1-2Q
        GPU Instance Profile ID           : 19
        Max Instances                     : 48
        FB Memory                         : 2048 MiB
"""


def test_rows_are_split_at_the_first_colon_and_the_header_is_none() -> None:
    kinds = creatable(LIST)
    assert [(kind.id, kind.name, kind.vram // GIB) for kind in kinds] == [
        (1145, "NVIDIA L40S-1B", 1),
        (1147, "NVIDIA L40S-1Q", 1),
        (1562, "NVIDIA RTX Pro 6000 Blackwell DC-12Q", 12),
    ]


def test_a_list_may_lack_its_header_and_its_rows() -> None:
    assert creatable(LIST.partition("\n")[2]) == creatable(LIST)
    assert creatable("ID    : vGPU Name\n") == creatable("") == ()


@pytest.mark.parametrize(
    ("name", "gibibytes"),
    [
        ("NVIDIA A16-16Q", 16),
        ("NVIDIA RTX6000-Ada-8Q", 8),
        ("GRID A100D-40C", 40),
        ("NVIDIA A40-2B4", 2),
        ("NVIDIA H200X-141C", 141),
        ("NVIDIA A100-1-5C", 0),
        ("NVIDIA H200X-1-18CME", 0),
        ("NVIDIA RTX Pro 6000 Blackwell DC-1-24Q", 0),
        ("GRID M10-0B", 0),
        ("NVIDIA L40S", 0),
    ],
)
def test_the_size_is_in_the_name_and_a_mig_backed_one_has_none(name: str, gibibytes: int) -> None:
    assert size_of(name) == gibibytes * GIB


def test_the_tool_tells_all_types_with_what_a_card_takes_of_them_but_those_of_mig() -> None:
    two, four = "NVIDIA RTX Pro 6000 Blackwell DC-2B", "NVIDIA RTX Pro 6000 Blackwell DC-4Q"
    assert supported(SUPPORTED) == (VgpuType(0x5EE, two, 2 * GIB, 32), VgpuType(0x5F1, four, 4 * GIB, 24))


def test_a_tool_that_tells_no_count_and_no_size_leaves_the_name() -> None:
    block = "vGPU Type ID : 0x47b\n    Name : NVIDIA L40S-1Q\n"
    assert supported(block) == (VgpuType(1147, "NVIDIA L40S-1Q", GIB),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", Said(None, False, False)),
        ("  vGPU Heterogeneous Mode : Enabled\n", Said(True, False, False)),
        ("  vGPU Heterogeneous Mode : Disabled\n", Said(False, False, False)),
        ("  vGPU Heterogeneous Mode : N/A\n", Said(None, False, False)),
        ("  Heterogeneous Time-Slice Sizes : Supported\n", Said(None, True, False)),
        ("  Heterogeneous Time-Slice Sizes : Not Supported\n", Said(None, False, False)),
        ("  MIG Mode\n    Current : Enabled\n    Pending : Disabled\n", Said(None, False, True)),
        ("  MIG Mode\n    Current : Disabled\n    Pending : Enabled\n", Said(None, False, False)),
    ],
)
def test_the_modes_are_read_as_the_tool_says_them(text: str, told: Said) -> None:
    assert said(text) == told


def test_nothing_is_there_where_the_type_reads_0() -> None:
    assert [current(text) for text in ("0\n", "1147\n", "", "none", "-1", "٣")] == [0, 1147, None, None, None, None]


LINES = st.lists(
    st.one_of(
        st.text(),
        st.from_regex(r"\A[0-9]{1,12} *: NVIDIA [A-Z0-9-]{0,9}[QCAB]\Z"),
        st.sampled_from(
            [
                *SUPPORTED.splitlines(),
                *LIST.splitlines(),
                "  MIG Mode",
                "FB Memory : x MiB",
                "Name :",
                ":",
                "vGPU Type ID",
            ]
        ),
    ),
    max_size=12,
)


@given(LINES)
def test_no_text_breaks_the_reading_and_no_size_is_made_up(lines: list[str]) -> None:
    text = "\n".join(lines)
    for kind in (*creatable(text), *supported(text)):
        assert kind.id > 0
        assert kind.vram > 0
        assert kind.limit is None or kind.limit > 0
    said(text)
    number = current(text)
    assert number is None or number >= 0


@given(st.integers(1, 10**9 - 1), st.integers(1, 999), st.sampled_from("ABCQ"))
def test_a_row_is_read_as_it_was_written(number: int, gibibytes: int, series: str) -> None:
    [kind] = creatable(f"{number:<6}: NVIDIA L40S-{gibibytes}{series}\n")
    assert (kind.id, kind.vram) == (number, gibibytes * GIB)
