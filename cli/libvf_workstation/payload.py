"""The bundle: one zip that Python runs, with all that a workstation is made of inside.

`python -m lab bundle FILE` writes it. Where this code runs out of it, it is its own bundle.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from libvf_workstation.errors import CommandFailed, Refused, WorkstationError

PROGRAMS = "payload/programs.tar"  # bin/ cni/ tools/ manifests/ crds/ examples/
IMAGES = "payload/images.tar"  # containerd's folder, every image unpacked
ABOUT = "payload/about.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """The zip."""

    file: Path

    @classmethod
    def find(cls, given: Path | None) -> Bundle:
        """The one that was named, else the one this code is in; Refused where there is neither."""
        file = given or Path(__file__).parents[1]
        try:
            with zipfile.ZipFile(file) as archive:
                archive.getinfo(ABOUT)
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            raise Refused(
                f"{file} is no bundle of a workstation ({error}): name one by --bundle; "
                "`python -m lab bundle FILE` makes it from a checkout"
            ) from error
        return cls(file)

    def about(self) -> dict[str, str]:
        """`kubernetes` is its version, `debian` the release whose programs are in it."""
        with zipfile.ZipFile(self.file) as archive:
            return dict(json.loads(archive.read(ABOUT)))

    def stamp(self, member: str) -> str:
        """What tells one content of a member from another."""
        with zipfile.ZipFile(self.file) as archive:
            info = archive.getinfo(member)
        return f"{info.CRC:08x}-{info.file_size}"

    def size(self) -> int:
        """Bytes of all that is unpacked."""
        with zipfile.ZipFile(self.file) as archive:
            return sum(archive.getinfo(member).file_size for member in (PROGRAMS, IMAGES))

    def unpack(self, member: str, target: Path) -> None:
        """Unpacks a tar archive into a new folder; the zip's own sum is checked on the way."""
        target.mkdir(mode=0o755)
        argv = ["tar", "-C", str(target), "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", "-"]
        with (
            zipfile.ZipFile(self.file) as archive,
            archive.open(member) as content,
            subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as tar,
        ):
            assert tar.stdin is not None
            assert tar.stderr is not None
            try:
                shutil.copyfileobj(content, tar.stdin, 1 << 20)
                tar.stdin.close()
            except zipfile.BadZipFile as error:
                raise WorkstationError(f"{self.file} is damaged ({error}): copy it again") from error
            except BrokenPipeError:
                pass  # tar has ended, and says why
            said = tar.stderr.read().decode(errors="replace")
        if tar.returncode:
            raise CommandFailed(argv, tar.returncode, said)
