"""The forms in which a kernel command line stands in a file; each can be read and changed without touching the rest."""

from __future__ import annotations

import json
import re
from enum import StrEnum

from libvf_agent.errors import PreparationError
from libvf_agent.preparation import grub_defaults, words
from libvf_agent.preparation.words import Change

_OPTIONS = re.compile(r"^options(?=[ \t]|$).*$", re.MULTILINE)
_CONTENT = re.compile(r"^[ \t]*[^#\s].*$", re.MULTILINE)


class Form(StrEnum):
    """How the words stand in the file."""

    GRUB_DEFAULT = "GRUB_CMDLINE_LINUX_DEFAULT"  # the variable of /etc/default/grub for ordinary starts
    GRUB_ALL = "GRUB_CMDLINE_LINUX"  # the one for every start
    ENTRY = "options"  # a boot loader entry
    FILE = "file"  # /etc/kernel/cmdline: the file is the line
    KERNELSTUB = "kernelstub"  # kernelstub's JSON: user.kernel_options


def words_of(form: Form, text: str, path: str) -> tuple[str, ...]:
    """The words that stand there."""
    match form:
        case Form.GRUB_DEFAULT | Form.GRUB_ALL:
            return grub_defaults.words_of(text, form.value, path)
        case Form.ENTRY:
            return tuple(word for line in _OPTIONS.findall(text) for word in words.split(line)[1:])
        case Form.FILE:
            return tuple(word for line in _CONTENT.findall(text) for word in words.split(line))
        case Form.KERNELSTUB:
            return tuple(_kernelstub(text, path)["user"]["kernel_options"])


def edited(form: Form, text: str, change: Change, path: str) -> str:
    """The text after the change; the words are added after all that are there."""
    match form:
        case Form.GRUB_DEFAULT | Form.GRUB_ALL:
            return grub_defaults.edited(text, form.value, change, path)
        case Form.ENTRY:
            return _in_lines(text, _OPTIONS, "options", change)
        case Form.FILE:
            return _in_lines(text, _CONTENT, "", change)
        case Form.KERNELSTUB:
            return _in_kernelstub(text, change, path)


def _in_lines(text: str, pattern: re.Pattern[str], fresh: str, change: Change) -> str:
    """Takes the words out of the lines that match and adds to the last; a line is made where none matches."""
    lines = list(pattern.finditer(text))
    left = words.without_in((line[0] for line in lines), change.remove)
    if left:
        left[-1] = words.appended(left[-1], change.add)
    for line, content in reversed(list(zip(lines, left, strict=True))):
        text = text[: line.start()] + content + text[line.end() :]
    if not lines and change.add:
        end = "" if not text or text.endswith("\n") else "\n"
        text = f"{text}{end}{words.appended(fresh, change.add)}\n"
    return text


def _in_kernelstub(text: str, change: Change, path: str) -> str:
    """Written as kernelstub itself writes it, so that a run of kernelstub changes nothing more."""
    settings = _kernelstub(text, path)
    options: list[str] = settings["user"]["kernel_options"]
    for word in reversed(change.remove):
        if word in options:
            del options[len(options) - 1 - options[::-1].index(word)]
    options += change.add
    return json.dumps(settings, indent=2)


def _kernelstub(text: str, path: str) -> dict[str, dict[str, list[str]]]:
    try:
        settings: dict[str, dict[str, list[str]]] = json.loads(text)
        if not isinstance(settings["user"]["kernel_options"], list):
            raise TypeError("user.kernel_options is no list")
    except (ValueError, KeyError, TypeError) as error:
        raise PreparationError(f"/{path} is not what kernelstub writes ({error!r}): run kernelstub once") from error
    return settings
