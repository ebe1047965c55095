"""Device metadata files (KEP-5304): how a container learns which devices its claims became.

A file is a stream of JSON objects, the same content in several versions, the newest first; a reader takes the
first version that it knows.
"""

from pathlib import Path
from typing import Any

import msgspec

from libvf_api.names import ATTRIBUTES_FOLDER, METADATA_FILE

KNOWN_VERSIONS = ("metadata.resource.k8s.io/v1beta1", "metadata.resource.k8s.io/v1alpha1")


class BadMetadata(ValueError):
    """A metadata file that is missing or that holds no version we know."""


class Attribute(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device attribute: exactly one of the four is set."""

    string: str | None = None
    int_: int | None = msgspec.field(default=None, name="int")
    bool_: bool | None = msgspec.field(default=None, name="bool")
    version: str | None = None

    @property
    def value(self) -> str | int | bool | None:
        """The one that is set."""
        return next((v for v in (self.string, self.int_, self.bool_, self.version) if v is not None), None)


class Device(msgspec.Struct, frozen=True):
    """One allocated device."""

    driver: str
    pool: str
    name: str
    attributes: dict[str, Attribute] = {}

    def get(self, key: str) -> str | int | bool | None:
        """An attribute's value, None where it is absent."""
        found = self.attributes.get(key)
        return found.value if found else None


class Request(msgspec.Struct, frozen=True):
    """The devices of one request, `<request>` or `<request>/<subrequest>`."""

    name: str
    devices: list[Device] = []


class DeviceMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """One claim's devices."""

    api_version: str
    kind: str
    metadata: dict[str, Any] = {}
    pod_claim_name: str | None = None
    requests: list[Request] = []


def path(claim: str, request: str, root: Path = Path("/")) -> Path:
    """Where a container finds the file of a claim's request; the subrequest is no part of it."""
    folder = root / ATTRIBUTES_FOLDER.lstrip("/") / "resourceclaims" / claim / request.partition("/")[0]
    return folder / METADATA_FILE


def read(file: Path) -> list[Device]:
    """All devices in a file; raises BadMetadata."""
    try:
        lines = file.read_text().splitlines()
    except OSError as error:
        raise BadMetadata(f"{file}: {error.strerror}: the claim was not prepared by the libvf agent") from error
    return decode(lines, str(file))


def decode(lines: list[str], origin: str) -> list[Device]:
    """Devices of the first object whose version is known; `origin` is named in errors."""
    for line in filter(str.strip, lines):
        try:
            version = msgspec.json.decode(line, type=_Version).api_version
            if version in KNOWN_VERSIONS:
                document = msgspec.json.decode(line, type=DeviceMetadata)
                return [device for request in document.requests for device in request.devices]
        except msgspec.MsgspecError as error:
            raise BadMetadata(f"{origin}: {error}") from error
    raise BadMetadata(f"{origin} holds none of {', '.join(KNOWN_VERSIONS)}: agent and launcher do not match")


class _Version(msgspec.Struct, rename="camel"):
    api_version: str
