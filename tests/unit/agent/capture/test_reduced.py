"""Files of which a part is taken."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from libvf_agent import nvidia_types
from libvf_agent.capture import reduced
from libvf_agent.capture.allowed import PARAMETERS, WORDS
from libvf_agent.preparation import words

LINE = (
    'BOOT_IMAGE=/vmlinuz-6.12 root=UUID=1 ro quiet intel_iommu=on,sm_on iommu=pt "vfio-pci.ids=10de:25b6,8086:56c0" '
    "i915.enable-gvt=1 xe.max_vfs=7 xe.secret=1 hugepagesz=2M hugepages=0:512,1:512 nomodeset console=ttyS0 pci=a/b"
)


def test_the_command_line_keeps_the_words_that_decide_how_cards_are_cut() -> None:
    assert reduced.command_line(LINE) == (
        "intel_iommu=on,sm_on iommu=pt i915.enable-gvt=1 xe.max_vfs=7 hugepagesz=2M hugepages=0:512,1:512 nomodeset\n"
    )


@settings(deadline=None)
@given(st.text())
@example(LINE)
def test_no_word_of_another_key_is_kept(line: str) -> None:
    for word in words.split(reduced.command_line(line)):
        key = word.partition("=")[0].replace("-", "_")
        module, _, parameter = key.partition(".")
        assert key in WORDS or parameter in PARAMETERS[module]
        assert word in line


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Node 0 MemTotal:       65843212 kB\nNode 0 MemFree: 7 kB", "Node 0 MemTotal:       66060288 kB\n"),
        ("Node 3 MemTotal:         131072 kB", "Node 3 MemTotal:        1048576 kB\n"),
        ("nothing of the kind", ""),
    ],
)
def test_memory_is_told_in_whole_gibibytes(said: str, kept: str) -> None:
    assert reduced.memory(said) == kept


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.144.02  Mon Dec 16 03:11:11 UTC 2024\nGCC version: 12",
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.144.02\n",
        ),
        (
            "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.95.05  Release Build  (root@ada)  Tue",
            "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.95.05\n",
        ),
        ("something else by root@ada", ""),
    ],
)
def test_nvidias_version_ends_before_who_built_it(said: str, kept: str) -> None:
    assert reduced.nvidia_version(said) == kept


def test_the_distribution_is_its_id_and_version() -> None:
    assert reduced.distribution('NAME="X"\nID="rocky"\nVERSION_ID="9.4"\nID_LIKE="rhel"\nVARIANT_ID=ada\n') == (
        'ID="rocky"\nVERSION_ID="9.4"\n'
    )


def test_the_processor_is_its_maker_and_whether_it_virtualises() -> None:
    one = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: EPYC\nflags\t\t: fpu svm sse\n"
    assert reduced.cpu(one * 2) == "vendor_id\t: AuthenticAMD\nflags\t\t: svm\n"
    assert reduced.cpu("processor: 0") == ""


ASKED = """GPU 00000000:65:00.0
    Product Name                          : NVIDIA L40S
    Serial Number                         : 1325021004567
    GPU UUID                              : GPU-5ad9ab9c-6f1c-5e64-a8c0-2ba24d2a9e0f
    vGPU Device Capability
        Heterogeneous Time-Slice Sizes    : Supported
    vGPU Heterogeneous Mode               : Disabled
    MIG Mode
        Current                           : Disabled
        Pending                           : Enabled
    Processes
        Name                              : /home/alice/trainer
"""


def test_of_nvidias_tool_the_modes_are_kept_and_nothing_else() -> None:
    kept = reduced.vgpu_modes(ASKED)
    assert [line.split(":")[0].strip() for line in kept.splitlines()] == [
        "Heterogeneous Time-Slice Sizes",
        "vGPU Heterogeneous Mode",
        "MIG Mode",
        "Current",
    ]
    assert nvidia_types.said(kept) == nvidia_types.said(ASKED)


KEYS = ["vGPU Type ID", "Name", "FB Memory", "Max Instances", "Max Instances Per VM", "GPU Instance Profile ID", "GPU"]
VALUES = [
    "0x5f1", "1147", "NVIDIA L40S-1Q", "GRID T4-1B4", "NVIDIA A100-1-5C", "NVIDIA RTX Pro 6000 Blackwell DC-48Q",
    "1024 MiB", "32", "0", "N/A", "19", "", "of ada", "0x13:37",
]  # fmt: skip
MODE_LINES = [
    # no empty one, where the reader goes on to the next line: nvidia-smi says N/A
    *(f"vGPU Heterogeneous Mode : {word}" for word in ("Enabled", "Disabled", "N/A", "by ada")),
    *(f"Heterogeneous Time-Slice Sizes : {word}" for word in ("Supported", "Not Supported", "N/A")),
    *("MIG Mode", "MIG Mode : N/A", "Current : Enabled", "Current : Disabled", "Pending : Enabled", "Processes"),
]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES))))
def test_what_is_read_of_types_is_read_of_what_was_kept(lines: list[tuple[str, str]]) -> None:
    text = "".join(f"    {key} : {value}\n" for key, value in lines)
    kept = reduced.vgpu_types(text)
    assert nvidia_types.supported(kept) == nvidia_types.supported(text)
    assert reduced.vgpu_types(kept) == kept
    assert "ada" not in kept


@settings(deadline=None)
@given(st.lists(st.sampled_from(MODE_LINES)))
def test_what_is_read_of_modes_is_read_of_what_was_kept(lines: list[str]) -> None:
    text = "".join(f"    {line}\n" for line in lines)
    kept = reduced.vgpu_modes(text)
    assert nvidia_types.said(kept) == nvidia_types.said(text)
    assert reduced.vgpu_modes(kept) == kept
    assert "ada" not in kept


def test_of_a_type_its_number_name_size_and_count_are_kept() -> None:
    listed = "vGPU Type ID : 0x5f1\n  Name : NVIDIA L40S-1Q\n  Sub System ID : 0x1\n  FB Memory : 1024 MiB\n"
    kept = reduced.vgpu_types(f"{listed}  Max Instances : 32\n  License : GRID-Virtual-WS\n")
    assert "License" not in kept
    assert nvidia_types.supported(kept) == nvidia_types.supported(f"{listed}  Max Instances : 32\n")
    assert nvidia_types.supported(kept)
