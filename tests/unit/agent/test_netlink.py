"""The addresses of functions by rtnetlink, asked of the kernel that runs this: no card here has functions."""

import errno

import pytest
from libvf_agent import netlink


def test_a_link_whose_card_has_no_functions_tells_none() -> None:
    assert netlink.macs("lo") == []


def test_a_link_that_is_not_there_is_absent() -> None:
    with pytest.raises(OSError, match="nolink") as refused:
        netlink.macs("nolink")
    assert refused.value.errno == errno.ENODEV


def test_a_driver_without_functions_says_so_and_not_that_the_message_is_wrong() -> None:
    """do_setlink looks at the message first: EINVAL or ERANGE would be its word for one that it does not read."""
    with pytest.raises(OSError, match="lo") as refused:
        netlink.set_mac("lo", 0, "52:54:00:12:34:56")
    assert refused.value.errno in (errno.EOPNOTSUPP, errno.EPERM)


def attribute(kind: int, value: bytes) -> bytes:
    """As rtnetlink lays one out: its length, its kind, its value to a multiple of four."""
    length = 4 + len(value)
    return length.to_bytes(2, "little") + kind.to_bytes(2, "little") + value + bytes(-length % 4)


def function(number: int, mac: str) -> bytes:
    """What the kernel tells of one function, with more in it than is asked for (rtnl_fill_vfinfo)."""
    index = number.to_bytes(4, "little")
    address = attribute(1, index + bytes.fromhex(mac.replace(":", "")).ljust(32, bytes(1)))
    return attribute(1, address + attribute(2, index + bytes(8)) + attribute(4, index + bytes(4)))


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([(1, "52:54:00:12:34:56"), (0, "00:00:00:00:00:00")], ["00:00:00:00:00:00", "52:54:00:12:34:56"]),
        ([(1, "52:54:00:12:34:56")], ["00:00:00:00:00:00", "52:54:00:12:34:56"]),
        ([], []),
    ],
    ids=["by their number", "of one the driver tells nothing", "there is none"],
)
def test_addresses_are_read_by_the_number_of_their_function(told: list[tuple[int, str]], found: list[str]) -> None:
    listed = b"".join(function(number, mac) for number, mac in told)
    link = attribute(3, b"eth0" + bytes(1)) + attribute(21, len(told).to_bytes(4, "little"))
    assert netlink.read(link + (attribute(22, listed) if told else b"")) == found
