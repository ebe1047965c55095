"""The door to rtnetlink, for what no file of /sys tells or takes: the addresses of virtual functions.

Two messages of it, as `ip -details link show` and `ip link set LINK vf N mac ..` send them. A library that knows all
of them takes a quarter of the agent's memory. Sources: Linux, include/uapi/linux/{netlink,rtnetlink,if_link}.h;
net/core/rtnetlink.c (rtnl_fill_vfinfo, do_setvfinfo).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator

from libvf_api.mac import ZERO

_ERROR, _NEWLINK, _GETLINK, _SETLINK = 2, 16, 18, 19
_REQUEST, _ACK = 0x1, 0x4
_EXT_MASK, _VFINFO_LIST, _VF_INFO, _VF_MAC = 29, 22, 1, 1
_NESTED, _TYPE = 0x8000, 0x3FFF  # of an attribute's type
_WITH_FUNCTIONS, _WITHOUT_STATISTICS = 1, 8  # RTEXT_FILTER_VF, RTEXT_FILTER_SKIP_STATS

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # family, type, index, flags, change
_ATTRIBUTE = struct.Struct("=HH")  # length with this header, type
_MAC = struct.Struct("=I32s")  # struct ifla_vf_mac: the number of the function, room for any address
_OCTETS = 6  # of an Ethernet address

_MOST = 1 << 20
_SECONDS = 10.0


def macs(link: str) -> list[str]:
    """The addresses of the virtual functions of a link's card, by their number; OSError as the kernel says it."""
    wanted = _attribute(_EXT_MASK, struct.pack("=I", _WITH_FUNCTIONS | _WITHOUT_STATISTICS))
    kind, answer = _asked(_GETLINK, link, wanted)
    if kind != _NEWLINK:
        raise OSError(errno.EPROTO, os.strerror(errno.EPROTO), link)
    return read(answer[_LINK.size :])


def set_mac(link: str, number: int, mac: str) -> None:
    """Another address for the function of that number; OSError as the driver says it."""
    address = _attribute(_VF_MAC, _MAC.pack(number, bytes.fromhex(mac.replace(":", ""))))
    one = _attribute(_VF_INFO | _NESTED, address)
    _asked(_SETLINK, link, _attribute(_VFINFO_LIST | _NESTED, one))


def read(attributes: bytes) -> list[str]:
    """The addresses in what the kernel says of a link; zero for a function of which its driver tells nothing."""
    found = dict(_addresses(attributes))
    return [found.get(number, ZERO) for number in range(max(found, default=-1) + 1)]


def _asked(kind: int, link: str, attributes: bytes) -> tuple[int, bytes]:
    """One request and its answer, by a socket of its own: what fails is forgotten with it."""
    body = _LINK.pack(socket.AF_UNSPEC, 0, _index(link), 0, 0) + attributes
    flags = _REQUEST | (_ACK if kind == _SETLINK else 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as door:
        door.settimeout(_SECONDS)
        door.bind((0, 0))
        door.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body)
        answer = door.recv(_MOST)
    length, told, *_ = _HEADER.unpack_from(answer)
    content = answer[_HEADER.size : length]
    if told == _ERROR and (number := -struct.unpack_from("=i", content)[0]):
        raise OSError(number, os.strerror(number), link)
    return told, content


def _index(link: str) -> int:
    try:
        return socket.if_nametoindex(link)
    except OSError as error:  # it tells no number
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), link) from error


def _addresses(attributes: bytes) -> Iterator[tuple[int, str]]:
    for outer, functions in _parsed(attributes):
        for inner, function in _parsed(functions) if outer == _VFINFO_LIST else ():
            for kind, value in _parsed(function) if inner == _VF_INFO else ():
                if kind == _VF_MAC and len(value) >= _MAC.size:
                    number, room = _MAC.unpack_from(value)
                    yield number, room[:_OCTETS].hex(":")


def _parsed(attributes: bytes) -> Iterator[tuple[int, bytes]]:
    while len(attributes) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(attributes)
        if length < _ATTRIBUTE.size:
            return
        yield kind & _TYPE, attributes[_ATTRIBUTE.size : length]
        attributes = attributes[_padded(length) :]


def _attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(_padded(length) - length)


def _padded(length: int) -> int:
    return length + 3 & ~3
