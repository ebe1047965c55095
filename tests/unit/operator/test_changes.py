"""What differs between two specs, in words for a condition."""

from typing import Any

import pytest
from libvf_operator import changes

DISK = {"name": "root", "size": "1Gi"}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"memory": {"size": "1Gi"}}, {"memory": {"size": "2Gi"}}, ["spec.memory.size 1Gi -> 2Gi"]),
        ({}, {"cpu": {"cores": 4}}, ["spec.cpu.cores unset -> 4"]),
        ({"cpu": {"cores": 4}}, {}, ["spec.cpu.cores 4 -> unset"]),
        ({"disks": [DISK]}, {"disks": [{**DISK, "size": "2Gi"}]}, ["spec.disks[root].size 1Gi -> 2Gi"]),
        ({"display": ["vnc"]}, {"display": ["vnc", "spice"]}, ['spec.display ["vnc"] -> ["vnc", "spice"]']),
        ({"hideHypervisor": False}, {"hideHypervisor": True}, ["spec.hideHypervisor false -> true"]),
        ({"firmware": {"tpm": True}}, {"firmware": {}}, ["spec.firmware.tpm true -> unset"]),
        ({"firmware": {}}, {"firmware": {"uefi": {}}}, ["spec.firmware.uefi unset -> {}"]),
        ({"disks": [DISK]}, {"disks": [DISK]}, []),
    ],
)
def test_each_field_is_told_from_what_to_what(before: Any, after: Any, words: list[str]) -> None:
    assert changes.told(before, after) == words


def test_a_disk_more_is_told_by_its_fields() -> None:
    assert changes.told({"disks": [DISK]}, {"disks": [DISK, {"name": "data", "size": "9Gi"}]}) == [
        "spec.disks[data].size unset -> 9Gi"
    ]


def test_what_may_hold_a_secret_is_named_and_not_shown() -> None:
    before = {"cloudInit": {"userData": "password: old"}, "firmware": {"oemStrings": ["io.systemd.credential:a=1"]}}
    after = {"cloudInit": {"userData": "password: new"}, "firmware": {}}
    told = changes.told(before, after)
    assert told == ["spec.cloudInit.userData (not shown)", "spec.firmware.oemStrings (not shown)"]
    assert "spec.cloudInit.userData (not shown)" in changes.told(before, {})


def test_a_long_value_and_many_changes_are_cut() -> None:
    [told] = changes.told({}, {"extraArguments": ["-rtc base=localtime"] * 9})
    assert len(told) < 120
    assert changes.told({}, {f"f{n:02}": n for n in range(15)})[-1] == "and 3 more"
