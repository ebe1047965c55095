"""Keeps OpenSSL out of a process that has Unix sockets alone: 2 MB for each VM, and a part of its start."""

import sys
from types import ModuleType


def keep_out() -> None:
    """To be called before asyncio is imported, which can do without, as on a Python that was built so.

    qemu.qmp takes a name from it, for a type.
    """
    sys.modules["ssl"] = None  # type: ignore[assignment]
    import asyncio  # noqa: F401

    nothing = ModuleType("ssl")
    nothing.SSLContext = object  # type: ignore[attr-defined]
    sys.modules["ssl"] = nothing
