"""Why a VM could not be launched.

LaunchError
  BadMachine       the launch document cannot be carried out
  DeviceMissing    a claim's device is not there
  DeviceBusy       somebody else has the device open
  DiskInUse        another QEMU writes to the disk, or reads what this one would write
  BaseChanged      a kept overlay's base is not what the overlay was made over
  CompanionFailed  a program that it needs beside QEMU did not come up
"""

from typing import ClassVar

from libvf_api.termination import Reason


class LaunchError(Exception):
    """Ends the launcher; `reason` goes into the termination message."""

    reason: ClassVar[Reason]


class BadMachine(LaunchError):
    """The launch document cannot be carried out."""

    reason = "BadMachine"


class DeviceMissing(LaunchError):
    """A device that the claims promise is not in this container."""

    reason = "DeviceMissing"


class DeviceBusy(LaunchError):
    """A device is open elsewhere."""

    reason = "DeviceBusy"


class DiskInUse(LaunchError):
    """A disk's file is locked by another QEMU."""

    reason = "DiskInUse"


class BaseChanged(LaunchError):
    """A kept overlay would be read over another base than it was made over, which corrupts it."""

    reason = "BaseChanged"


class CompanionFailed(LaunchError):
    """A program that the VM needs beside QEMU did not come up."""

    reason = "CompanionFailed"
