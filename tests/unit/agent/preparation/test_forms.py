"""Command lines in boot loader entries, /etc/kernel/cmdline and kernelstub's configuration."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libvf_agent.errors import PreparationError
from libvf_agent.preparation.forms import Form, edited, words_of
from libvf_agent.preparation.words import Change

ADD = ("intel_iommu=on", "iommu=pt")
WORDS = st.lists(st.sampled_from(["quiet", "root=UUID=1", "console=tty0", "iommu=pt", "x.y=1,2"]), max_size=4)
BLANKS = st.sampled_from([" ", "  ", "\t"])
OPTIONS = st.tuples(BLANKS, WORDS, BLANKS).map(lambda parts: "options" + parts[0] + parts[2].join(parts[1]))
OTHERS = st.sampled_from(["title Linux", "# options none", "linux /vmlinuz", "", "optionsx y"])
ENTRIES = st.tuples(st.lists(OTHERS, max_size=3), OPTIONS, st.lists(st.one_of(OTHERS, OPTIONS), max_size=3)).map(
    lambda parts: "\n".join([*parts[0], parts[1], *parts[2]])
)
CONTENT = st.tuples(
    st.sampled_from(["", "# mine\n"]), WORDS.filter(bool).map(" ".join), st.sampled_from(["", "\n", "\n#\n"])
)


@given(ENTRIES)
def test_an_entry_changed_and_changed_back_is_the_same(text: str) -> None:
    there = words_of(Form.ENTRY, text, "x")
    after = edited(Form.ENTRY, text, Change(add=ADD), "x")
    assert words_of(Form.ENTRY, after, "x") == (*there, *ADD)
    assert edited(Form.ENTRY, after, Change(remove=ADD), "x") == text


@given(CONTENT.map("".join))
def test_a_file_that_is_the_line_changed_and_changed_back_is_the_same(text: str) -> None:
    there = words_of(Form.FILE, text, "x")
    after = edited(Form.FILE, text, Change(add=ADD), "x")
    assert words_of(Form.FILE, after, "x") == (*there, *ADD)
    assert edited(Form.FILE, after, Change(remove=ADD), "x") == text


def test_an_entry_without_options_gets_a_line() -> None:
    assert (
        edited(Form.ENTRY, "linux /vmlinuz", Change(add=ADD), "x")
        == "linux /vmlinuz\noptions intel_iommu=on iommu=pt\n"
    )


def test_a_word_is_taken_out_of_whichever_options_line_has_it() -> None:
    text = "options iommu=off a\noptions b\n"
    assert edited(Form.ENTRY, text, Change(("c",), ("iommu=off",)), "x") == "options a\noptions b c\n"


@given(WORDS)
def test_kernelstubs_options_keep_their_order_and_come_back_as_they_were(options: list[str]) -> None:
    text = json.dumps({"user": {"kernel_options": options, "esp_path": "/boot/efi"}}, indent=2)
    after = edited(Form.KERNELSTUB, text, Change(add=ADD), "x")
    assert json.loads(after)["user"] == {"kernel_options": [*options, *ADD], "esp_path": "/boot/efi"}
    assert edited(Form.KERNELSTUB, after, Change(remove=ADD), "x") == text


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"user": {"kernel_options": "quiet splash"}}'])
def test_a_configuration_that_is_not_kernelstubs_is_refused(text: str) -> None:
    with pytest.raises(PreparationError, match=r"/etc/kernelstub/configuration is not what kernelstub writes"):
        words_of(Form.KERNELSTUB, text, "etc/kernelstub/configuration")
