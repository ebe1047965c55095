"""What can go wrong in the command, as one tree; the exit code of each is 1 where nothing else is said.

CliError
+-- NoKubectl       there is no kubectl to call
+-- KubectlFailed   kubectl said no, or did not end
|   +-- NotFound    what was asked for is not there
|   +-- Forbidden   the user may not do it
+-- NoAgent         no agent runs where it is asked for
+-- BadAnswer       an agent answered something else than its report
+-- CannotWrite     the file that was asked for can not be written
+-- BadInput        an option, or a file that was given, says nothing that makes sense: 2
+-- NotRunning      the VM is off, or its guest does not run yet
+-- NoStream        a screen or a console can not be reached
+-- Unfinished      what was waited for did not come in time: 3
+-- NoProgram       a program that shows it is not there
"""

from __future__ import annotations

from typing import ClassVar


class CliError(Exception):
    """Something failed; the text says what, where and the cure."""

    code: ClassVar[int] = 1


class NoKubectl(CliError):
    """There is no kubectl to call."""


class KubectlFailed(CliError):
    """kubectl said no, or did not end."""


class NotFound(KubectlFailed):
    """What was asked for is not there."""


class Forbidden(KubectlFailed):
    """The user may not do it."""


class NoAgent(CliError):
    """No agent runs where it is asked for."""


class BadAnswer(CliError):
    """An agent answered something else than its report."""


class CannotWrite(CliError):
    """The file that was asked for can not be written."""


class BadInput(CliError):
    """An option, or a file that was given, says nothing that makes sense."""

    code = 2


class NotRunning(CliError):
    """The VM is off, or its guest does not run yet."""


class NoStream(CliError):
    """A screen or a console can not be reached."""


class Unfinished(CliError):
    """What was waited for did not come in time."""

    code = 3


class NoProgram(CliError):
    """A program that shows it is not there."""
