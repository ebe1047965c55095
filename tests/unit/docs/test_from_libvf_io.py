"""The table from LibVF.IO is whole: every command, flag and key, a place for each, and a test that is there."""

import re
from pathlib import Path

import pytest
from libvf_cli.original.keys import KEYS

TESTS = Path(__file__).resolve().parents[2]
PAGE = (TESTS.parent / "docs" / "from-libvf-io.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not set(line) <= set("|- ")
]
COMMANDS = ("create", "start", "stop", "ls", "ps", "introspect", "app", "deploy", "undeploy")
FLAGS = ("--preinstall", "--safe-mode", "--disable-gpu", "--copy", "--no-copy", "--save")
SECTIONS = {"connectivity", "connectivity.exposedPorts", "container", "cpus", "gpus", "nics", "commands"}


def test_no_cell_is_empty_but_a_default_that_there_is_none_of() -> None:
    for row in ROWS:
        assert all(cell for number, cell in enumerate(row) if not (len(row) == 4 and number == 1)), row


@pytest.mark.parametrize("word", [*COMMANDS, *FLAGS])
def test_every_command_and_flag_has_a_row(word: str) -> None:
    assert any(re.search(rf"(?<![\w-]){word}(?![\w-])", row[0]) for row in ROWS if len(row) == 3)


@pytest.mark.parametrize("key", [key for key in KEYS if key not in SECTIONS and f"{key}[]" not in KEYS])
def test_every_key_has_a_row(key: str) -> None:
    known = {cell.strip("`") for row in ROWS if len(row) == 4 for cell in row[:1]}
    assert {key, f"{key}[]"} & known


def test_every_test_that_is_named_is_there() -> None:
    named = {name for row in ROWS for name in re.findall(r"[a-z0-9]+/[\w/]+\.py", row[-1])}
    assert named
    assert {name for name in named if not (TESTS / name).is_file()} == set()


def test_what_is_dropped_has_its_reason() -> None:
    for row in ROWS:
        if "dropped" in row[-2]:
            assert re.search(r"dropped(: .{10}|, (as|likewise))|is dropped(:| as)", row[-2]), row
