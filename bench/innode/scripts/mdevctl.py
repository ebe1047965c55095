"""On the node: `mdevctl start` of a mediated device of a type on a parent, so many rounds; seconds of each."""

import json
import pathlib
import subprocess
import sys
import time
import uuid


def start(kind: str, parent: str) -> float:
    """One, which is removed again."""
    device = str(uuid.uuid4())
    began = time.monotonic()
    done = subprocess.run(["mdevctl", "start", "-u", device, "-p", parent, "-t", kind], capture_output=True, text=True)
    seconds = time.monotonic() - began
    if done.returncode:
        raise SystemExit(f"mdevctl start: {done.stderr}")
    pathlib.Path(f"/sys/bus/mdev/devices/{device}/remove").write_text("1")
    return seconds


if __name__ == "__main__":
    print(json.dumps([start(sys.argv[1], sys.argv[2]) for _ in range(int(sys.argv[3]) + 1)][1:]))
