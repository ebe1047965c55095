"""/etc/default/grub, read and changed; a real shell says what it means."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libvf_agent.errors import PreparationError
from libvf_agent.preparation.grub_defaults import edited, words_of
from libvf_agent.preparation.words import Change

VARIABLE = "GRUB_CMDLINE_LINUX_DEFAULT"
PATH = "etc/default/grub"
ADD = ("intel_iommu=on", "iommu=pt")

FORMS = {
    "double quotes": (f'{VARIABLE}="quiet splash"\n', f'{VARIABLE}="quiet splash intel_iommu=on iommu=pt"\n'),
    "single quotes": (f"{VARIABLE}='quiet'\n", f"{VARIABLE}='quiet intel_iommu=on iommu=pt'\n"),
    "no quotes": (f"{VARIABLE}=quiet\n", f'{VARIABLE}="quiet intel_iommu=on iommu=pt"\n'),
    "nothing": (f"{VARIABLE}=\nX=1\n", f'{VARIABLE}="intel_iommu=on iommu=pt"\nX=1\n'),
    "empty quotes": (f'{VARIABLE}=""', f'{VARIABLE}="intel_iommu=on iommu=pt"'),
    "blanks at the end": (f'{VARIABLE}="quiet  "\n', f'{VARIABLE}="quiet   intel_iommu=on iommu=pt"\n'),
    "a comment behind": (
        f"{VARIABLE}='a' # {VARIABLE}=b\n",
        f"{VARIABLE}='a intel_iommu=on iommu=pt' # {VARIABLE}=b\n",
    ),
    "continued": (f'{VARIABLE}="a \\\n  b"\n', f'{VARIABLE}="a \\\n  b intel_iommu=on iommu=pt"\n'),
    "quotes inside": (f'{VARIABLE}="x=\\"a b\\""\n', f'{VARIABLE}="x=\\"a b\\" intel_iommu=on iommu=pt"\n'),
    "pieces": (f"{VARIABLE}=\"a\"' b'c\n", f'{VARIABLE}="a"\' b\'c" intel_iommu=on iommu=pt"\n'),
    "exported": (f'export {VARIABLE}="a"; Y=2\n', f'export {VARIABLE}="a intel_iommu=on iommu=pt"; Y=2\n'),
    "added to": (f'{VARIABLE}="a"\n{VARIABLE}+=" b"\n', f'{VARIABLE}="a"\n{VARIABLE}+=" b intel_iommu=on iommu=pt"\n'),
    "built on itself": (
        f'{VARIABLE}=a\n{VARIABLE}="${{{VARIABLE}}} b"\n',
        f'{VARIABLE}=a\n{VARIABLE}="${{{VARIABLE}}} b intel_iommu=on iommu=pt"\n',
    ),
    "set twice": (f'{VARIABLE}="a"\n{VARIABLE}="b"\n', f'{VARIABLE}="a"\n{VARIABLE}="b intel_iommu=on iommu=pt"\n'),
    "missing": ("GRUB_TIMEOUT=5", f'GRUB_TIMEOUT=5\n{VARIABLE}="intel_iommu=on iommu=pt"\n'),
    "only in a comment": (f'#{VARIABLE}="a"\n', f'#{VARIABLE}="a"\n{VARIABLE}="intel_iommu=on iommu=pt"\n'),
    "before a command": (f"{VARIABLE}=a true\n", f'{VARIABLE}=a true\n{VARIABLE}="intel_iommu=on iommu=pt"\n'),
    "another variable": (
        f'GRUB_CMDLINE_LINUX="a"\n{VARIABLE}_XEN="b"\n',
        f'GRUB_CMDLINE_LINUX="a"\n{VARIABLE}_XEN="b"\n{VARIABLE}="intel_iommu=on iommu=pt"\n',
    ),
}


def shell(text: str) -> list[str]:
    """The words a shell gives the variable."""
    script = f'{text}\nprintf %s "${VARIABLE}"'
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("form", FORMS)
def test_words_are_added_and_the_quoting_is_kept(form: str) -> None:
    before, after = FORMS[form]
    assert edited(before, VARIABLE, Change(add=ADD), PATH) == after


@pytest.mark.parametrize("form", FORMS)
def test_a_shell_then_reads_what_was_there_and_ours(form: str) -> None:
    before, after = FORMS[form]
    assert shell(after) == [*shell(before), *ADD]


@pytest.mark.parametrize("form", sorted(set(FORMS) - {"quotes inside"}))
def test_what_is_read_here_is_what_a_shell_reads(form: str) -> None:
    for text in FORMS[form]:
        assert list(words_of(text, VARIABLE, PATH)) == shell(text)


@pytest.mark.parametrize(
    "form", sorted(set(FORMS) - {"no quotes", "nothing", "pieces", "missing", "only in a comment"})
)
def test_taken_out_again_the_text_is_as_it_was(form: str) -> None:
    before, after = FORMS[form]
    if before.count(VARIABLE + "=") == after.count(VARIABLE + "="):
        assert edited(after, VARIABLE, Change(remove=ADD), PATH) == before


def test_a_word_is_taken_out_of_every_assignment_that_counts_and_of_no_other() -> None:
    text = f'{VARIABLE}="iommu=off x"\n{VARIABLE}="iommu=off a"\n{VARIABLE}+=" iommu=off b"\n'
    after = edited(text, VARIABLE, Change(remove=("iommu=off",) * 2), PATH)
    assert after == f'{VARIABLE}="iommu=off x"\n{VARIABLE}="a"\n{VARIABLE}+=" b"\n'


def test_an_assignment_inside_a_condition_is_left_to_a_person_with_the_words() -> None:
    text = f'if [ -e /x ]; then\n  {VARIABLE}="a"\nfi\n'
    with pytest.raises(PreparationError, match=r"inside a condition.*add by hand: intel_iommu=on iommu=pt"):
        edited(text, VARIABLE, Change(add=ADD), PATH)


def test_an_assignment_after_a_condition_is_a_plain_one() -> None:
    text = f'if [ -e /x ]; then Y=1; fi\ncase "$Y" in 1) Z=1;; esac\n{VARIABLE}="a"\n'
    assert edited(text, VARIABLE, Change(add=("b",)), PATH).endswith(f'{VARIABLE}="a b"\n')


def test_a_quote_that_is_never_closed_is_named_with_its_line() -> None:
    with pytest.raises(PreparationError, match=r'/etc/default/grub line 2: a " is missing'):
        words_of(f'X=1\n{VARIABLE}="quiet\n', VARIABLE, PATH)


PLAIN = st.sampled_from(["quiet", "splash", "console=tty0", "a.b=1,2"])
VALUES = st.one_of(
    st.lists(PLAIN, max_size=3).map(lambda some: f'"{" ".join(some)}"'),
    st.lists(PLAIN, max_size=3).map(lambda some: f"'{'  '.join(some)}'"),
    PLAIN,
    st.just(""),
    PLAIN.map(lambda word: f'"${VARIABLE} {word}"'),
    PLAIN.map(lambda word: f"${{{VARIABLE}}}' {word}'"),
)
LINES = st.one_of(
    st.tuples(st.sampled_from([VARIABLE, "GRUB_CMDLINE_LINUX"]), st.sampled_from(["=", "+="]), VALUES).map("".join),
    st.sampled_from(["# it's a comment", "", "GRUB_TIMEOUT=5; export Y=1", 'echo "a \\" b" >/dev/null', "X=`echo a`"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=5).map("\n".join))
def test_whatever_the_file_a_shell_reads_the_same_words_and_then_ours(text: str) -> None:
    assert shell(edited(text, VARIABLE, Change(add=ADD), PATH)) == [*shell(text), *ADD]
    assert list(words_of(text, VARIABLE, PATH)) == shell(text)
