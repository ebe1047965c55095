"""What a guest says of itself, bounded whatever it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libvf_api import guest_report
from libvf_api.guest_report import BadReport, Guest


def test_what_is_said_arrives() -> None:
    said = guest_report.guest("Debian GNU/Linux 13 (trixie)", "web", ["10.0.2.15", "fec0::5054:ff:fe12:3456"])
    assert guest_report.decode(guest_report.encode(said)) == said


def test_addresses_that_nobody_else_reaches_are_left_out() -> None:
    said = guest_report.guest(
        "", "", ["127.0.0.1", "::1", "fe80::1", "fe80::1%eth0", "0.0.0.0", "ff02::1", "192.0.2.7"]
    )
    assert said.addresses == ("192.0.2.7",)


def test_control_characters_and_turned_writing_are_taken_out() -> None:
    assert guest_report.guest("\x1b[2Jevil\r\n", "a\u202eb\0c", []) == Guest("[2Jevil", "abc")


@given(os=st.text(), hostname=st.text(), addresses=st.lists(st.text() | st.ip_addresses().map(str)))
def test_whatever_it_says_fits_the_machines_status(os: str, hostname: str, addresses: list[str]) -> None:
    said = guest_report.guest(os * 300, hostname * 300, addresses * 40)
    assert len(guest_report.encode(said)) <= guest_report.MAX_BYTES
    assert len(said.os) <= 256
    assert len(said.hostname) <= 256
    assert len(said.addresses) <= 32
    assert all(len(address) <= 64 for address in said.addresses)
    assert (said.os + said.hostname).isprintable()
    assert guest_report.decode(guest_report.encode(said)) == said


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"os": 1}',
        b'{"more": ""}',
        b'{"addresses": [{}]}',
        b"[" * 8000,
        b'{"os": "' + b"x" * guest_report.MAX_BYTES + b'"}',
    ],
)
def test_what_is_no_report_is_refused(datagram: bytes) -> None:
    with pytest.raises(BadReport):
        guest_report.decode(datagram)


@pytest.mark.parametrize("data", [None, 1, "x", {"os": []}, {"other": 1}])
def test_data_of_a_claim_that_is_none_says_nothing(data: object) -> None:
    assert guest_report.of(data) == Guest()
