"""Huge pages on the kernel command line."""

import pytest
from libvf_agent.errors import PreparationError
from libvf_agent.preparation.hugepages import missing
from libvf_agent.preparation.wishes import HugePages


def words(line: str, *wanted: str) -> str:
    return " ".join(missing(line.split(), tuple(HugePages.parse(one) for one in wanted)))


def test_the_first_size_becomes_the_default() -> None:
    assert words("quiet", "1Gi=8") == "default_hugepagesz=1G hugepagesz=1G hugepages=8"


@pytest.mark.parametrize(
    "line",
    [
        "hugepagesz=2M hugepages=64",
        "hugepagesz=2048K hugepages=64",
        "hugepages=64",
        "default_hugepagesz=1G hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=64",
    ],
)
def test_pages_that_are_set_aside_already_need_no_words(line: str) -> None:
    assert words(line, "2Mi=64") == ""


def test_a_default_that_somebody_chose_stays() -> None:
    assert words("default_hugepagesz=2M", "1Gi=8") == "hugepagesz=1G hugepages=8"


def test_a_count_without_a_size_does_not_change_its_meaning() -> None:
    assert words("hugepages=64", "1Gi=8") == "hugepagesz=1G hugepages=8"


def test_another_number_of_the_same_size_is_refused_with_both_numbers() -> None:
    with pytest.raises(PreparationError, match=r"hugepages=64 of 2M already and 128 are asked for"):
        words("hugepages=64", "2Mi=128")


def test_a_size_named_twice_is_refused() -> None:
    with pytest.raises(PreparationError, match="names a size twice"):
        words("", "2Mi=1", "2Mi=2")


@pytest.mark.parametrize("text", ["2Mi", "2Mi=0", "2Mi=-1", "4Ki=1", "2Mi=x", "1Gi=1.5"])
def test_what_is_no_size_and_number_is_refused(text: str) -> None:
    with pytest.raises(PreparationError, match="write 2Mi=NUMBER or 1Gi=NUMBER"):
        HugePages.parse(text)
