"""What `kubectl vf import` makes of LibVF.IO's files is admitted by the API server."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from libvf_cli.original.convert import Imported, imported
from libvf_cli.original.storage import Storage

ORIGINALS = Path(__file__).resolve().parents[1] / "unit" / "cli" / "originals"
FILES = sorted(ORIGINALS.glob("*.yaml"))

_HEAD = re.compile(r'The \w+ "[^"]+" is invalid:|Warning:.*')


def _refusals(api: Any, found: Imported) -> list[str]:
    """What admission says against it."""
    items = {"apiVersion": "v1", "kind": "List", "items": [found.machine, *found.policies]}
    answer = api.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(items))
    told = [line for line in answer.stderr.splitlines() if line.strip() and not _HEAD.fullmatch(line.strip())]
    assert answer.returncode == 0 or told
    return told


@pytest.mark.integration
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_shape_of_the_original_is_admitted(api: Any, file: Path) -> None:
    assert _refusals(api, imported(file.read_text(), file.stem, Storage())) == []


@pytest.mark.integration
def test_an_installation_is_admitted_too(api: Any) -> None:
    text = (ORIGINALS / "everything.yaml").read_text()
    assert _refusals(api, imported(text, "everything", Storage(claim="images", install=True))) == []


@pytest.mark.integration
def test_what_the_api_server_does_not_know_would_be_seen(api: Any) -> None:
    found = imported("name: a", "a", Storage())
    found.machine["spec"]["colour"] = "blue"
    assert any("unknown field" in line for line in _refusals(api, found))
