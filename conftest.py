"""Each worker of a parallel run has a lab and ports of its own; the first one has those of a run without workers."""

import os

_NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))

if _NUMBER:  # before anything of the lab is imported
    os.environ["LIBVF_LAB"] = f"w{_NUMBER}"
    os.environ["LIBVF_LAB_PORT"] = str(16443 + _NUMBER)
    os.environ["LIBVF_INTEGRATION_PORT"] = str(26443 + 100 * _NUMBER)
