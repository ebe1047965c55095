"""The compiled protocols are those of the .proto files."""

import os
import subprocess
import sys
from pathlib import Path

AGENT = Path(__file__).parents[3] / "host-agent"


def test_the_compiled_files_are_current(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHON": sys.executable}
    subprocess.run([AGENT / "proto" / "renew", tmp_path], env=environment, check=True, capture_output=True)
    made = sorted((tmp_path / "libvf_agent" / "wire").iterdir())
    assert len(made) == 9
    for file in made:
        assert file.read_text() == (AGENT / "libvf_agent" / "wire" / file.name).read_text(), file.name
