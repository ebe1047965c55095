"""The launcher's last message."""

from libvf_api.termination import Termination, parse


def test_it_reads_back() -> None:
    told = Termination("QemuExited", "QEMU ended with 1: no such file", 1)
    assert parse(told.encode().decode()) == told


def test_a_long_message_keeps_its_end_and_fits_what_kubelet_keeps() -> None:
    encoded = Termination("QemuExited", "x" * 9000 + "the cause").encode()
    assert len(encoded) <= 4096
    told = parse(encoded.decode())
    assert told is not None
    assert told.message.endswith("the cause")


def test_words_that_are_no_message_are_none() -> None:
    assert parse("panic: out of memory") is None
