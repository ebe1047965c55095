"""What can go wrong in the command, as one tree.

CliError
+-- NoKubectl       there is no kubectl to call
+-- KubectlFailed   kubectl said no, or did not end
+-- NoAgent         no agent runs where it is asked for
+-- BadAnswer       an agent answered something else than its report
+-- CannotWrite     the file that was asked for can not be written
"""

from __future__ import annotations


class CliError(Exception):
    """Something failed; the text says what, where and the cure."""


class NoKubectl(CliError):
    """There is no kubectl to call."""


class KubectlFailed(CliError):
    """kubectl said no, or did not end."""


class NoAgent(CliError):
    """No agent runs where it is asked for."""


class BadAnswer(CliError):
    """An agent answered something else than its report."""


class CannotWrite(CliError):
    """The file that was asked for can not be written."""
