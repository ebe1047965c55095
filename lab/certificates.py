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
    """A folder of PEM files: ca, apiserver, kubelet-client (the API server's own), service-account.

    front-proxy-ca is an authority of its own with one certificate, front-proxy-client: who shows that one is believed
    whatever user it names."""

    folder: Path

    def cert(self, name: str) -> Path:
        """Path of the certificate called name."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Path of the private key called name."""
        return self.folder / f"{name}.key"

    def make(self, server_names: Sequence[str]) -> None:
        """Make what is missing; server_names are the API server's, `DNS:..` and `IP:..`."""
        if not self.cert("apiserver").exists():
            self._own(server_names)
        if not self.cert("front-proxy-client").exists():
            self._authority("front-proxy-ca", "/CN=libvf-lab-front-proxy")
            self._issue("front-proxy-client", "/CN=front-proxy-client", "clientAuth", authority="front-proxy-ca")

    def _own(self, server_names: Sequence[str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._authority("ca", "/CN=libvf-lab")
        self._issue("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "clientAuth")
        run(["openssl", "genrsa", "-out", self.key("service-account"), "2048"])
        self._issue("apiserver", "/CN=kube-apiserver", "serverAuth", ",".join(server_names))

    def _authority(self, name: str, subject: str) -> None:
        argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", subject]
        usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        run([*argv, *usage, "-keyout", self.key(name), "-out", self.cert(name)])

    def _issue(self, name: str, subject: str, usage: str, names: str = "", authority: str = "ca") -> None:
        extensions = [*_LEAF, f"extendedKeyUsage={usage}", *([f"subjectAltName={names}"] if names else [])]
        request = self.folder / f"{name}.csr"
        extension_file = self.folder / f"{name}.ext"
        extension_file.write_text("\n".join(extensions) + "\n")
        new_key = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", subject]
        run([*new_key, "-keyout", self.key(name), "-out", request])
        sign = ["openssl", "x509", "-req", "-in", request, "-days", "3650", "-extfile", extension_file]
        signer = ["-CA", self.cert(authority), "-CAkey", self.key(authority), "-CAcreateserial"]
        run([*sign, *signer, "-out", self.cert(name)])
