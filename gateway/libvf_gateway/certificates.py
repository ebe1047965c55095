"""The gateway's serving certificate and the authority that it makes for it. Pure but for randomness.

Only the API server checks this certificate, and for this one API alone (APIService.spec.caBundle): an authority of its
own needs nobody's trust, and no cert-manager. Its key is kept beside the certificate's, as who has one has the other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
LIFE = timedelta(days=90)
RENEWED_BEFORE = LIFE / 3
_CLOCKS_DIFFER = timedelta(hours=1)

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Serving:
    """PEM texts: the authority with its key, and a certificate of it with its key."""

    authority: str
    authority_key: str
    certificate: str
    key: str

    def due(self, host: str, now: datetime) -> bool:
        """Whether it is time for another certificate: it runs out, or is for another name."""
        mine = x509.load_pem_x509_certificate(self.certificate.encode())
        names = mine.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return now > mine.not_valid_after_utc - RENEWED_BEFORE or host not in names.get_values_for_type(x509.DNSName)


def made(host: str, now: datetime) -> Serving:
    """A new authority, and a certificate of it for the host."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{host} authority")])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)  # signs certificates and lists
    certificate = (
        _builder(name, name, key, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return renewed(Serving(_pem(certificate), _pem_key(key), "", ""), host, now)


def renewed(old: Serving, host: str, now: datetime) -> Serving:
    """Another certificate of the same authority, so that who trusts it need not be told."""
    authority = x509.load_pem_x509_certificate(old.authority.encode())
    signing = serialization.load_pem_private_key(old.authority_key.encode(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    certificate = (
        _builder(name, authority.subject, key, now, LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(signing, hashes.SHA256())
    )
    return Serving(old.authority, old.authority_key, _pem(certificate), _pem_key(key))


def _builder(name: x509.Name, issuer: x509.Name, key: Key, now: datetime, life: timedelta) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _pem_key(key: Key) -> str:
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain).decode()
