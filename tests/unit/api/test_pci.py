"""PCI addresses, parsed at the edge."""

import pytest
from libvf_api.pci import BadPciAddress, PciAddress


@pytest.mark.parametrize("text", ["0000:3b:00.0", "3b:00.0", "0000:3B:00.0"])
def test_an_address_is_read_as_people_and_lspci_write_it(text: str) -> None:
    assert str(PciAddress.parse(text)) == "0000:3b:00.0"


def test_the_widest_domain_is_kept() -> None:
    assert str(PciAddress.parse("10000:e1:1f.7")) == "10000:e1:1f.7"


@pytest.mark.parametrize("text", ["", "3b", "0000:3b:20.0", "0000:3b:00.8", "mdpy"])
def test_what_is_no_address_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(BadPciAddress, match=r"0000:3b:00\.0"):
        PciAddress.parse(text)
