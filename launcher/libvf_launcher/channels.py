"""How the guest is spoken with: QMP, and its serial console."""

from collections.abc import Iterator

from libvf_launcher.paths import Paths


def arguments(paths: Paths) -> Iterator[str]:
    """Two QMP sockets, and the serial console that also goes to standard output, so to `kubectl logs`."""
    for name, path in (("qmp", paths.qmp), ("admin", paths.qmp_admin)):
        yield from ("-chardev", f"socket,id={name},path={path},server=on,wait=off")
        yield from ("-mon", f"chardev={name},mode=control")
    yield from ("-chardev", f"socket,id=serial,path={paths.serial},server=on,wait=off,logfile=/dev/stdout,logappend=on")
    yield from ("-serial", "chardev:serial")
