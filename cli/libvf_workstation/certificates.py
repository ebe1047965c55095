"""A cluster's certificate authority and the few certificates its control plane needs, by openssl."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Run = Callable[[Sequence[object]], str]

# an elliptic key's handshake costs a fraction of RSA's, which is felt where the processor is emulated
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
# Python 3.13 verifies strictly (RFC 5280): without these it refuses a certificate
_LEAF = (
    "basicConstraints=CA:FALSE",
    "keyUsage=digitalSignature",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid",
)


@dataclass(frozen=True, slots=True)
class Certificates:
    """A folder of PEM files: ca, apiserver, kubelet-client (the API server's own), service-account, etcd.

    front-proxy-ca is an authority of its own with one certificate, front-proxy-client: who shows that one is believed
    whatever user it names.
    """

    folder: Path

    def cert(self, name: str) -> Path:
        """Path of the certificate called name."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Path of the private key called name."""
        return self.folder / f"{name}.key"

    def make(self, run: Run, server_names: Sequence[str], authority: str) -> None:
        """Make what is missing; server_names are the API server's, `DNS:..` and `IP:..`, authority is the CA's name.

        `run` runs a program to its end and raises where it fails. etcd's serves for both ends, on the loopback.
        """
        if not self.cert("apiserver").exists():
            self._own(run, server_names, authority)
        if not self.cert("front-proxy-client").exists():
            self._authority(run, "front-proxy-ca", f"{authority}-front-proxy")
            self._issue(run, "front-proxy-client", "/CN=front-proxy-client", "clientAuth", authority="front-proxy-ca")

    def _own(self, run: Run, server_names: Sequence[str], authority: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._authority(run, "ca", authority)
        self._issue(run, "kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "clientAuth")
        self._issue(run, "etcd", "/CN=etcd", "serverAuth,clientAuth", "IP:127.0.0.1,DNS:localhost")
        run(["openssl", "genrsa", "-out", self.key("service-account"), "2048"])
        self._issue(run, "apiserver", "/CN=kube-apiserver", "serverAuth", ",".join(server_names))

    def _authority(self, run: Run, name: str, subject: str) -> None:
        argv = ["openssl", "req", "-x509", *_NEW_KEY, "-days", "3650", "-subj", f"/CN={subject}"]
        usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        run([*argv, *usage, "-keyout", self.key(name), "-out", self.cert(name)])

    def _issue(self, run: Run, name: str, subject: str, usage: str, names: str = "", authority: str = "ca") -> None:
        extensions = [*_LEAF, f"extendedKeyUsage={usage}", *([f"subjectAltName={names}"] if names else [])]
        request = self.folder / f"{name}.csr"
        extension_file = self.folder / f"{name}.ext"
        extension_file.write_text("\n".join(extensions) + "\n")
        new_key = ["openssl", "req", *_NEW_KEY, "-subj", subject]
        run([*new_key, "-keyout", self.key(name), "-out", request])
        sign = ["openssl", "x509", "-req", "-in", request, "-days", "3650", "-extfile", extension_file]
        signer = ["-CA", self.cert(authority), "-CAkey", self.key(authority), "-CAcreateserial"]
        run([*sign, *signer, "-out", self.cert(name)])
