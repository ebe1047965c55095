"""The seed as cloud-init reads it: Debian's own, run from a folder, and libblkid, by which it finds the volume."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from libvf_api import launch
from libvf_launcher import iso
from libvf_launcher.paths import Paths

from lab.trixie import programs, root
from tests.unit.launcher.seen import files

REPOSITORY = Path(__file__).resolve().parents[3]
UID = "5f0c3a52-3a3d-4a6b-9d6e-0d8a4c6b1e11"
NETWORK = "version: 2\nethernets:\n  nic0: {match: {name: 'e*'}, addresses: [192.0.2.7/24]}\n"
_READ = """
import json, sys
from cloudinit.distros import fetch
from cloudinit.helpers import Paths
from cloudinit.sources.DataSourceNoCloud import DataSourceNoCloud
paths = Paths({"cloud_dir": sys.argv[1], "run_dir": sys.argv[1]})
source = DataSourceNoCloud({"datasource": {"NoCloud": {"fs_label": None}}}, fetch("debian")("debian", {}, paths), paths)
found = source.get_data()
told = {"instance": source.get_instance_id(), "name": source.get_hostname().hostname, "network": source.network_config}
print(json.dumps({"found": found, "user": source.get_userdata_raw().decode(), **told}))
"""


@pytest.fixture
def debian() -> Path:
    """A root with cloud-init in it; the list of authorities, which its HTTP library wants, is made at installation."""
    found = root("cloud-init")
    bundle = found / "etc/ssl/certs/ca-certificates.crt"
    if not bundle.exists():
        bundle.parent.mkdir(parents=True, exist_ok=True)
        parts = sorted((found / "usr/share/ca-certificates/mozilla").glob("*.crt"))
        bundle.write_text("".join(part.read_text() for part in parts))
    return found


@pytest.fixture
def cloud(debian: Path) -> Iterator[Path]:
    """cloud-init's own folder, of this test alone."""
    with tempfile.TemporaryDirectory(dir=debian / "tmp") as folder:
        yield Path(folder)


@pytest.fixture
def example() -> dict[str, Any]:
    """The Secret of the example, as its keys."""
    documents = yaml.safe_load_all((REPOSITORY / "examples" / "cloud-init.yaml").read_text())
    [secret] = [document for document in documents if document["kind"] == "Secret"]
    return dict(secret["stringData"])


@pytest.fixture
def seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, example: dict[str, Any]) -> Path:
    """The volume, made as the launcher makes it."""
    monkeypatch.setenv("PATH", str(programs("xorriso", "xorriso")), prepend=":")
    paths = Paths(tmp_path / "c")
    paths.run.mkdir(parents=True)
    keys = paths.secrets / "cloudInit"
    keys.mkdir(parents=True)
    for key, text in {**example, "network-config": NETWORK}.items():
        (keys / key).write_text(text)
    spec = {"memory": {"size": "1Gi"}, "cloudInit": {"secretName": "web-seed"}}
    iso.make(launch.decode(json.dumps({"name": "web", "namespace": "lab", "uid": UID, "spec": spec})), paths)
    return paths.run / "cidata.iso"


def _run(debian: Path, *argv: str | Path) -> str:
    words = ["chroot", str(debian), "/usr/bin/python3", *map(str, argv)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_found_by_its_label(seed: Path) -> None:
    done = subprocess.run(["blkid", "-p", "-o", "export", seed], capture_output=True, text=True, check=True)
    assert {"LABEL=cidata", "TYPE=iso9660"} <= set(done.stdout.splitlines())


def test_cloud_init_reads_instance_name_network_and_user_data(
    seed: Path, debian: Path, cloud: Path, tmp_path: Path, example: dict[str, Any]
) -> None:
    place = cloud / "seed" / "nocloud"
    place.mkdir(parents=True)
    for name, content in files(seed, tmp_path / "seen").items():
        (place / name).write_bytes(content)
    told = json.loads(_run(debian, "-c", _READ, Path("/") / cloud.relative_to(debian)).splitlines()[-1])
    assert told == {
        "found": True,
        "user": example["user-data"],
        "instance": UID,
        "name": "web",
        "network": yaml.safe_load(NETWORK),
    }


def test_the_examples_user_data_is_what_cloud_init_takes(debian: Path, cloud: Path, example: dict[str, Any]) -> None:
    (cloud / "user-data").write_text(example["user-data"])
    place = Path("/") / cloud.relative_to(debian) / "user-data"
    assert "Valid schema" in _run(debian, "/usr/bin/cloud-init", "schema", "--config-file", place)
