"""One capture of a host, from its files to what an archive holds.

Nothing is written, and no program is run but NVIDIA's own, to ask it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from libvf_api.capture import Capture

from libvf_agent.capture import functions, mediated, system
from libvf_agent.capture.anonymous import Pseudonyms, anonymous
from libvf_agent.capture.taker import Taker
from libvf_agent.sysfs import Files


def capture(files: Files, salt: uuid.UUID, names: Iterable[str] = (), card: str | None = None) -> Capture:
    """What there is of the host behind `files`, or of the PCI function `card` alone.

    `names` are further names of the host, such as its Node's. Raises CaptureError, and BadPciAddress.
    """
    taker = Taker(files)
    taken = functions.take(taker, card)
    mediated.take(taker, taken, alone=card is not None)
    system.take(taker)
    own = {name for name in (*system.hostnames(taker), *names) if name.lower() != system.distribution(taker)}
    return anonymous(taker.seen, Pseudonyms.of(salt, own))
