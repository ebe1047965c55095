"""`kubectl proxy`, by which people open the console."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.binaries import binaries


@contextmanager
def proxied(server: str, authority: Path, token: str, folder: Path) -> Iterator[str]:
    """For whoever has this token; yields its address, `http://127.0.0.1:PORT`."""
    cluster = [{"name": "lab", "cluster": {"server": server, "certificate-authority": str(authority)}}]
    context = [{"name": "lab", "context": {"cluster": "lab", "user": "user"}}]
    users = [{"name": "user", "user": {"token": token}}]
    settings = {"apiVersion": "v1", "kind": "Config", "clusters": cluster, "users": users, "contexts": context}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "kubeconfig"
    file.write_text(json.dumps({**settings, "current-context": "lab"}))
    argv = [str(binaries() / "kubectl"), "--kubeconfig", str(file), "proxy", "--port=0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()  # Starting to serve on 127.0.0.1:PORT
        try:
            yield f"http://{said.split()[-1]}"
        finally:
            process.terminate()
