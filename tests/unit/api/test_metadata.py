"""Device metadata files as a container reads them."""

from pathlib import Path

import pytest
from libvf_api import metadata

NEW = (
    '{"apiVersion": "metadata.resource.k8s.io/v1beta1", "kind": "DeviceMetadata", "metadata": {"name": "c"}, '
    '"requests": [{"name": "gpu/open", "devices": [{"driver": "libvf.io", "pool": "p", "name": "xga-0", '
    '"attributes": {"mdevUUID": {"string": "u"}, "display": {"bool": true}, "iommuGroup": {"int": 3}}}]}]}'
)
UNKNOWN = '{"apiVersion": "metadata.resource.k8s.io/v9", "kind": "DeviceMetadata", "somethingNew": 1}'


def test_the_first_version_that_is_known_is_taken() -> None:
    [device] = metadata.decode([UNKNOWN, NEW], "file")
    assert (device.get("mdevUUID"), device.get("display"), device.get("iommuGroup")) == ("u", True, 3)


def test_an_attribute_that_is_not_there_is_none() -> None:
    assert metadata.decode([NEW], "file")[0].get("numaNode") is None


def test_the_path_leaves_the_subrequest_out(tmp_path: Path) -> None:
    file = metadata.path("claim", "gpu/open", tmp_path)
    assert file.relative_to(tmp_path).as_posix() == (
        "var/run/kubernetes.io/dra-device-attributes/resourceclaims/claim/gpu/libvf.io-metadata.json"
    )


def test_a_file_with_no_known_version_names_itself() -> None:
    with pytest.raises(metadata.BadMetadata, match="agent and launcher do not match"):
        metadata.decode([UNKNOWN], "file")


def test_a_missing_file_says_who_should_have_written_it(tmp_path: Path) -> None:
    with pytest.raises(metadata.BadMetadata, match="not prepared by the libvf agent"):
        metadata.read(tmp_path / "none")
