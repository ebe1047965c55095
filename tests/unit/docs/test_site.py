"""The documentation builds without a warning, and knows every reason that a machine can give."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from libvf_api.termination import Reason
from libvf_operator.machine_status import RESTING, STALLED

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    argv = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--site-dir",
        str(folder),
    ]  # --quiet hides from --strict
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_reference_has_a_page_for_each_kind_with_its_fields(site: Path) -> None:
    page = (site / "reference" / "virtualmachine.html").read_text()
    assert "spec.gpus[]" in page
    assert "gpus[].type and gpus[].vram exclude each other" in page
    assert {path.stem for path in (site / "reference").glob("*.html")} == {
        "virtualmachine",
        "gpupartition",
        "gpupolicy",
    }


def test_each_example_has_its_place_on_their_page(site: Path) -> None:
    page = (site / "examples.html").read_text()
    assert [file.stem for file in (REPOSITORY / "examples").glob("*.yaml") if f'id="{file.stem}"' not in page] == []
    assert 'href="examples.html#keep"' in (site / "disks.html").read_text()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = [
        line.strip()
        for page in site.rglob("*.html")
        for line in page.read_text().splitlines()
        if ("src=" in line or "<link" in line) and "//" in line
    ]
    assert loaded == []


@pytest.mark.parametrize("reason", sorted({*get_args(Reason), *STALLED, *RESTING}))
def test_every_reason_has_its_place_in_troubleshooting(reason: str) -> None:
    assert f"`{reason}`" in (REPOSITORY / "docs" / "troubleshooting.md").read_text()
