"""The assignments of a small shell file such as /etc/default/grub, and where in the text their values are.

Understood: quotes, comments, line continuations, `export`, `+=`, several commands on a line, and that an
assignment before a command or inside a condition is no plain one. Nothing is run, expansions stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto

from libvf_agent.errors import PreparationError

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_OPEN = {"if", "case", "for", "while", "until", "select", "{"}
_CLOSE = {"fi", "esac", "done", "}"}
# after these the next word is a command again
_BEFORE_COMMAND = _OPEN - {"case", "for", "select"} | {"then", "else", "elif", "do", "!", "export"}
# stands in a value for what the variable was before
_PREVIOUS = "\0"
_SEPARATORS = "\n;&|()"


class Quote(Enum):
    """How the last piece of a value is quoted."""

    NONE = auto()
    SINGLE = auto()
    DOUBLE = auto()


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name=value`; `start` and `end` are the value's place in the text, quotes included.

    `value` is what the shell makes of it, with a mark where it takes over what the variable was before.
    """

    name: str
    start: int
    end: int
    value: str
    last_quote: Quote
    conditional: bool = False

    @property
    def builds_on(self) -> bool:
        """Whether it keeps what was set before it."""
        return _PREVIOUS in self.value


def assignments(text: str, path: str) -> tuple[Assignment, ...]:
    """All of them in order; PreparationError where a quote is never closed, `path` is named in it."""
    return _Scanner(text, path).scan()


def effective(found: tuple[Assignment, ...], name: str) -> tuple[Assignment, ...]:
    """Those that make the variable's final value: the last plain one and what is built on it."""
    chain: list[Assignment] = []
    for one in found:
        if one.name == name:
            chain = [*chain, one] if one.builds_on else [one]
    return tuple(chain)


def final_value(chain: tuple[Assignment, ...]) -> str:
    """What the variable holds after these."""
    value = ""
    for one in chain:
        value = one.value.replace(_PREVIOUS, value)
    return value


class _Scanner:
    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self._at = 0

    def scan(self) -> tuple[Assignment, ...]:
        """Walks over the commands of the file."""
        found: list[Assignment] = []
        pending: list[Assignment] = []  # they count only if no command follows on their line
        depth, at_command = 0, True
        while self._at < len(self._text):
            char = self._text[self._at]
            match = _ASSIGNMENT.match(self._text, self._at) if at_command else None
            if char in _SEPARATORS:
                found += pending
                pending, at_command = [], True
                self._at += 1
            elif char in " \t<>":
                self._at += 1
            elif self._text.startswith("\\\n", self._at):
                self._at += 2
            elif char == "#":
                self._skip_comment()
            elif match:
                pending.append(self._assignment(match, depth > 0))
            else:
                word = self._word("").value
                if at_command:
                    depth += (word in _OPEN) - (word in _CLOSE)
                    at_command = word in _BEFORE_COMMAND
                    pending = []
        return (*found, *pending)

    def _skip_comment(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _assignment(self, match: re.Match[str], conditional: bool) -> Assignment:
        self._at = match.end()
        word = self._word(match[1])
        return replace(word, value=(_PREVIOUS if match[2] else "") + word.value, conditional=conditional)

    def _word(self, name: str) -> Assignment:
        """One shell word from here on, as the value of `name`."""
        start, value, quote = self._at, "", Quote.NONE
        while self._at < len(self._text) and self._text[self._at] not in " \t<>" + _SEPARATORS:
            char = self._text[self._at]
            if char == "'":
                value, quote = value + self._until("'", self._at + 1), Quote.SINGLE
            elif char == '"':
                value, quote = value + self._double(name), Quote.DOUBLE
            else:
                value, quote = value + self._piece(name, ""), Quote.NONE
        return Assignment(name, start, self._at, value, quote)

    def _double(self, name: str) -> str:
        opened = self._at
        self._at += 1
        value = ""
        while not self._text.startswith('"', self._at):
            if self._at >= len(self._text):
                raise self._unclosed('"', opened)
            value += self._piece(name, '$`"\\\n')
        self._at += 1
        return value

    def _piece(self, name: str, escapable: str) -> str:
        """One character, escape or expansion; in double quotes only `escapable` can be escaped."""
        char = self._text[self._at]
        if char == "\\" and self._at + 1 < len(self._text):
            after = self._text[self._at + 1]
            self._at += 2
            if after == "\n":
                return ""
            return after if not escapable or after in escapable else char + after
        for own in (f"${{{name}}}", f"${name}"):
            end = self._at + len(own)
            if name and self._text.startswith(own, self._at) and not (own[-1] != "}" and self._name_goes_on(end)):
                self._at = end
                return _PREVIOUS
        if char == "`":
            return "`" + self._until("`", self._at + 1) + "`"
        if self._text.startswith("$(", self._at):
            return self._nested("(", ")")
        if self._text.startswith("${", self._at):
            return self._nested("{", "}")
        self._at += 1
        return char

    def _name_goes_on(self, at: int) -> bool:
        return re.match(r"[A-Za-z0-9_]", self._text[at : at + 1]) is not None

    def _nested(self, opening: str, closing: str) -> str:
        start, depth = self._at, 0
        while self._at < len(self._text):
            char = self._text[self._at]
            depth += (char == opening) - (char == closing)
            self._at += 1
            if char == closing and depth == 0:
                return self._text[start : self._at]
        raise self._unclosed(closing, start)

    def _until(self, closing: str, start: int) -> str:
        end = self._text.find(closing, start)
        if end < 0:
            raise self._unclosed(closing, start)
        self._at = end + 1
        return self._text[start:end]

    def _unclosed(self, mark: str, at: int) -> PreparationError:
        line = self._text.count("\n", 0, at) + 1
        return PreparationError(f"/{self._path} line {line}: a {mark} is missing: mend the file and run this again")
