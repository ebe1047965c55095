"""The lab's certificate authority and the few certificates its control plane needs, by openssl."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.shell import run

# Python 3.13 verifies strictly (RFC 5280): without these it refuses a certificate
_LEAF = (
    "basicConstraints=CA:FALSE",
    "keyUsage=digitalSignature,keyEncipherment",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid",
)


@dataclass(frozen=True, slots=True)
class Certificates:
    """A folder of PEM files: ca, apiserver, kubelet-client (the API server's own), service-account."""

    folder: Path

    def cert(self, name: str) -> Path:
        """Path of the certificate called name."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Path of the private key called name."""
        return self.folder / f"{name}.key"

    def make(self, server_names: Sequence[str]) -> None:
        """Make what is missing; server_names are the API server's, `DNS:..` and `IP:..`."""
        if self.cert("apiserver").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._authority()
        self._issue("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "clientAuth")
        run(["openssl", "genrsa", "-out", self.key("service-account"), "2048"])
        self._issue("apiserver", "/CN=kube-apiserver", "serverAuth", ",".join(server_names))

    def _authority(self) -> None:
        argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=libvf-lab"]
        usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        run([*argv, *usage, "-keyout", self.key("ca"), "-out", self.cert("ca")])

    def _issue(self, name: str, subject: str, usage: str, names: str = "") -> None:
        extensions = [*_LEAF, f"extendedKeyUsage={usage}", *([f"subjectAltName={names}"] if names else [])]
        request = self.folder / f"{name}.csr"
        extension_file = self.folder / f"{name}.ext"
        extension_file.write_text("\n".join(extensions) + "\n")
        new_key = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", subject]
        run([*new_key, "-keyout", self.key(name), "-out", request])
        sign = ["openssl", "x509", "-req", "-in", request, "-days", "3650", "-extfile", extension_file]
        authority = ["-CA", self.cert("ca"), "-CAkey", self.key("ca"), "-CAcreateserial"]
        run([*sign, *authority, "-out", self.cert(name)])
