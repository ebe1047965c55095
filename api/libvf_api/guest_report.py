"""What a guest says of itself, on its way from the launcher by the node's agent into the VM's status.

The guest decides what it says, and whoever breaks out of QEMU what the launcher says: so it is bounded anew at each
step. It goes as one datagram to a socket of the agent's that CDI mounts into the launcher: nothing that the launcher
could fill, and no file of its making that the agent would open.
"""

import ipaddress
from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec

FOLDER = "/run/libvf-report"
SOCKET = "guest.sock"
MAX_BYTES = 8192
_TEXT = 128
_ADDRESSES = 32


class Guest(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Operating system, name and addresses; empty where it does not say."""

    os: str = ""
    hostname: str = ""
    addresses: tuple[str, ...] = ()


class BadReport(ValueError):
    """Bytes that are no report."""


def guest(os: str, hostname: str, addresses: Iterable[str]) -> Guest:
    """The same within bounds: short, printable text, and addresses that somebody else may reach."""
    reachable = dict.fromkeys(found for one in addresses if (found := _address(one)))
    return Guest(_text(os), _text(hostname), tuple(islice(reachable, _ADDRESSES)))


def encode(said: Guest) -> bytes:
    """As one datagram."""
    return msgspec.json.encode(said)


def plain(said: Guest) -> dict[str, Any]:
    """As JSON has it, to be compared with what the API server keeps."""
    found: dict[str, Any] = msgspec.json.decode(encode(said))
    return found


def decode(datagram: bytes) -> Guest:
    """Raises BadReport."""
    if len(datagram) > MAX_BYTES:
        raise BadReport(f"more than {MAX_BYTES} bytes")
    try:
        said = msgspec.json.decode(datagram, type=Guest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadReport(str(error)) from error
    return guest(said.os, said.hostname, said.addresses)


def of(data: Any) -> Guest:
    """What a claim's device data has of it; an empty one where there is none that is understood."""
    try:
        said = msgspec.convert(data, Guest)
    except msgspec.ValidationError:
        return Guest()
    return guest(said.os, said.hostname, said.addresses)


def _text(text: str) -> str:
    """Without control characters, and without those that turn the direction of writing."""
    return "".join(islice((c for c in text if c.isprintable()), _TEXT)).strip()


def _address(text: str) -> str | None:
    """As it is usually written; a zone after % could be any text."""
    try:
        found = ipaddress.ip_address("" if "%" in text else text)
    except ValueError:
        return None
    useless = found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified
    return None if useless else str(found)
