"""The host's real files, opened for looking only."""

from __future__ import annotations

import errno
import os
import stat

from libvf_api.capture import FILE_BYTES

from libvf_agent.sysfs import HostFiles


class BoundedFiles(HostFiles):
    """Opens plain files alone, without waiting, and reads just past the limit; it writes nothing."""

    def read(self, path: str) -> str:
        """A pipe would be waited for, and a device acts when it is opened: EINVAL for both."""
        place = self._at(path)
        mode = os.stat(place).st_mode
        if not stat.S_ISREG(mode):
            number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
            raise OSError(number, os.strerror(number), path)
        with open(os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY), "rb") as file:
            return file.read(FILE_BYTES + 1).decode(errors="replace")

    def write(self, path: str, value: str) -> None:
        """Refused."""
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    def run(self, argv: tuple[str, ...]) -> None:
        """Refused."""
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), argv[0])
