"""The version that the programs say of themselves."""

import tomllib
from pathlib import Path

from libvf_api.version import PROGRAMS


def test_it_is_the_one_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert project["project"]["version"] == PROGRAMS
