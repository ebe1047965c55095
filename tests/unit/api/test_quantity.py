"""Quantities as Kubernetes reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libvf_api.quantity import BadQuantity, of_bytes, to_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [("4Gi", 4 << 30), ("1500M", 1_500_000_000), ("1e3", 1000), ("0.5Ki", 512), ("100m", 1), (7, 7), ("1Ei", 1 << 60)],
)
def test_every_form_is_read_and_a_fraction_rounds_up(text: str | int, size: int) -> None:
    assert to_bytes(text) == size


@pytest.mark.parametrize("text", ["", "much", "1GiB", "1 Gi", "Gi", "1e", "--1"])
def test_what_is_no_quantity_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(BadQuantity, match="such as 4Gi"):
        to_bytes(text)


@given(st.integers(min_value=0, max_value=(1 << 62) - 1))
def test_what_is_written_reads_back_exactly(size: int) -> None:
    assert to_bytes(of_bytes(size)) == size
