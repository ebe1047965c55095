"""A variable of /etc/default/grub (or a file sourced after it): its words read and changed, its quoting kept."""

from __future__ import annotations

from libvf_agent.errors import PreparationError
from libvf_agent.preparation import words
from libvf_agent.preparation.shell import Assignment, Quote, assignments, effective, final_value

_SAFE = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,=:+-/")


def sets(text: str, variable: str, path: str) -> bool:
    """Whether the file assigns the variable."""
    return any(one.name == variable for one in assignments(text, path))


def replaces(text: str, variable: str, path: str) -> bool:
    """Whether the file's value does not build on what was set before it."""
    chain = effective(assignments(text, path), variable)
    return bool(chain) and not chain[0].builds_on


def words_of(text: str, variable: str, path: str) -> tuple[str, ...]:
    """The words the file gives the variable in the end."""
    return words.split(final_value(effective(assignments(text, path), variable)))


def edited(text: str, variable: str, change: words.Change, path: str) -> str:
    """The text with the words added to the last assignment and taken out of those that count."""
    chain = effective(assignments(text, path), variable)
    if any(one.conditional for one in chain):
        raise PreparationError(
            f"/{path} sets {variable} inside a condition, which is not changed here: "
            f"add by hand: {' '.join(change.add) or 'nothing'}; take out: {' '.join(change.remove) or 'nothing'}"
        )
    left = words.without_in((text[one.start : one.end] for one in chain), change.remove)
    for one, raw in reversed(list(zip(chain, left, strict=True))):
        if one is chain[-1]:
            raw = _grown(one, raw, change.add)
        text = text[: one.start] + raw + text[one.end :]
    if not chain and change.add:
        end = "" if not text or text.endswith("\n") else "\n"
        text = f'{text}{end}{variable}="{words.appended("", change.add)}"\n'
    return text


def _grown(one: Assignment, raw: str, add: tuple[str, ...]) -> str:
    """The raw value with the words at its end, inside its last quotes; quotes are made where there are none."""
    if not add:
        return raw
    if one.last_quote is not Quote.NONE:
        before, inside, mark = _last_quoted(raw)
        return before + mark + _joined(one, before, inside, add) + mark
    if set(raw) <= _SAFE:
        return f'"{_joined(one, "", raw, add)}"'
    return f'{raw}"{_joined(one, raw, "", add)}"'


def _joined(one: Assignment, before: str, inside: str, add: tuple[str, ...]) -> str:
    """The words after what is there; with a blank first where something stands before these quotes."""
    blank = not inside and (bool(before) or one.builds_on)
    return (" " if blank else "") + words.appended(inside, add)


def _last_quoted(raw: str) -> tuple[str, str, str]:
    mark = raw[-1]
    start = len(raw) - 2
    while raw[start] != mark or (mark == '"' and _escaped(raw, start)):
        start -= 1
    return raw[:start], raw[start + 1 : -1], mark


def _escaped(raw: str, at: int) -> bool:
    return (at - len(raw[:at].rstrip("\\"))) % 2 == 1
