"""The Python types of the API are those of the CRDs."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
CRDS = sorted((REPOSITORY / "crds").glob("*s.yaml"))


def test_the_generated_types_are_current() -> None:
    argv = [sys.executable, str(REPOSITORY / "api" / "generate.py"), "--check"]
    assert subprocess.run(argv).returncode == 0, "crds/ changed: run `python api/generate.py`"


@pytest.mark.parametrize("path", CRDS, ids=lambda path: path.stem)
def test_every_field_is_described(path: Path) -> None:
    root = yaml.safe_load(path.read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert list(_undescribed(root, "")) == []


def _undescribed(node, place):  # type: ignore[no-untyped-def]
    for name, field in (node.get("properties") or {}).items():
        if not place and name == "metadata":
            continue  # the API server describes it itself
        if "description" not in field:
            yield f"{place}.{name}"
        yield from _undescribed(field, f"{place}.{name}")
    if isinstance(node.get("items"), dict):
        yield from _undescribed(node["items"], f"{place}[]")


def test_every_definition_is_installed() -> None:
    listed = yaml.safe_load((REPOSITORY / "crds" / "kustomization.yaml").read_text())["resources"]
    assert listed == [path.name for path in CRDS]
