"""Words on a kernel command line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libvf_agent.preparation.words import appended, change, split, without

OURS = ("intel_iommu=on", "iommu=pt", "hugepagesz=2M", "hugepages=8", "hugepages=8")
FOREIGN = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="\\"), min_size=1, max_size=8)
LINES = st.lists(st.one_of(FOREIGN, st.sampled_from([" ", "  ", "\t", "iommu=pt", "quiet"])), max_size=8).map("".join)


@given(LINES, st.lists(st.sampled_from(OURS), max_size=4))
def test_what_is_added_and_taken_out_again_leaves_every_byte_as_it_was(line: str, add: list[str]) -> None:
    assert without(appended(line, add), add) == line


@given(st.lists(FOREIGN.filter(lambda word: '"' not in word), max_size=6), st.lists(st.sampled_from(OURS), max_size=4))
def test_words_of_others_keep_their_order_and_ours_come_last(foreign: list[str], add: list[str]) -> None:
    assert list(split(appended(" ".join(foreign), add))) == [*foreign, *add]


def test_only_missing_words_are_added() -> None:
    assert change(["quiet", "iommu=pt"], ["intel_iommu=on", "iommu=pt"]).add == ("intel_iommu=on",)


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        ("intel_iommu=on,sm_on", "intel_iommu=on"),
        ("intel-iommu=on", "intel_iommu=on"),
        ("i915.enable_gvt=Y", "i915.enable_gvt=1"),
        ("xe.max-vfs=4", "xe.max_vfs=4"),
    ],
)
def test_another_spelling_of_the_same_is_enough(present: str, wanted: str) -> None:
    found = change([present], [wanted])
    assert (found.add, found.remove) == ((), ())


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        ("intel_iommu=off", "intel_iommu=on"),
        ("amd_iommu=off", "iommu=pt"),
        ("amd_iommu=fullflush,off", "iommu=pt"),
        ("iommu=nopt", "iommu=pt"),
        ("iommu=pt,off", "iommu=pt"),
        ("i915.enable_gvt=0", "i915.enable_gvt=1"),
        ("xe.max_vfs=7", "xe.max_vfs=4"),
    ],
)
def test_what_says_the_contrary_is_taken_out_each_time_it_is_said(present: str, wanted: str) -> None:
    found = change([present, "quiet", present], [wanted])
    assert (found.add, found.remove) == ((wanted,), (present, present))


def test_an_option_of_amds_iommu_that_leaves_it_on_stays() -> None:
    assert change(["amd_iommu=force_isolation"], ["iommu=pt"]).remove == ()


def test_a_second_word_that_adds_to_the_first_is_left_alone() -> None:
    assert change(["intel_iommu=sm_on"], ["intel_iommu=on"]).remove == ()


def test_guc_submission_keeps_gvt_from_starting_and_is_taken_out() -> None:
    assert change(["i915.enable_guc=3"], ["i915.enable_gvt=1"]).remove == ("i915.enable_guc=3",)
    assert change(["i915.enable_guc=2"], ["i915.enable_gvt=1"]).remove == ()


def test_a_word_in_quotes_may_hold_blanks() -> None:
    assert split('a "b c" dyndbg="file x.c +p" d') == ("a", '"b c"', 'dyndbg="file x.c +p"', "d")


def test_of_a_word_that_is_there_twice_ours_is_the_last() -> None:
    assert without("hugepages=8 quiet hugepages=8", ["hugepages=8"]) == "hugepages=8 quiet"


def test_a_word_is_not_found_inside_a_longer_one() -> None:
    assert without("xiommu=pt iommu=pt,x", ["iommu=pt"]) == "xiommu=pt iommu=pt,x"


def test_a_word_that_needs_quotes_is_refused() -> None:
    with pytest.raises(ValueError, match="needs quotes"):
        appended("quiet", ['a="b c"'])
