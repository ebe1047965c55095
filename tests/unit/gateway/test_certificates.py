"""The serving certificate: what a client that trusts its authority alone accepts, and for how long."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from libvf_gateway import certificates
from libvf_gateway.certificates import LIFE, RENEWED_BEFORE, Serving
from libvf_gateway.frontproxy import FrontProxy
from libvf_gateway.listener import Trust

HOST = "libvf-gateway.libvf-system.svc"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def serving() -> Serving:
    return certificates.made(HOST, NOW)


def greeted(serving: Serving, host: str, authority: str) -> str:
    """A TLS handshake under a name; returns the protocol."""
    server = Trust(serving, FrontProxy(serving.authority, (), (), (), (), ())).context()
    near, far = socket.socketpair()
    client = ssl.create_default_context(cadata=authority)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    thread = threading.Thread(target=_answer, args=(server, far))
    thread.start()
    try:
        with client.wrap_socket(near, server_hostname=host) as secured:
            return str(secured.version())
    finally:
        near.close()
        thread.join()


def _answer(context: ssl.SSLContext, far: socket.socket) -> None:
    try:
        context.wrap_socket(far, server_side=True).close()
    except OSError:
        far.close()


def test_it_is_accepted_by_strict_clients_under_its_own_name(serving: Serving) -> None:
    assert greeted(serving, HOST, serving.authority) == "TLSv1.3"


def test_another_name_or_another_authority_is_not(serving: Serving) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        greeted(serving, "other.libvf-system.svc", serving.authority)
    with pytest.raises(ssl.SSLCertVerificationError):
        greeted(serving, HOST, certificates.made(HOST, NOW).authority)


def test_it_is_renewed_in_the_last_third_of_its_life_by_the_same_authority(serving: Serving) -> None:
    assert not serving.due(HOST, NOW + LIFE - RENEWED_BEFORE - timedelta(minutes=1))
    assert serving.due(HOST, NOW + LIFE - RENEWED_BEFORE + timedelta(minutes=1))
    assert serving.due("another.svc", NOW)
    new = certificates.renewed(serving, HOST, NOW)
    assert new.certificate != serving.certificate
    assert greeted(new, HOST, serving.authority) == "TLSv1.3"


def test_its_key_stays_in_no_file(serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert greeted(serving, HOST, serving.authority)
    assert list(tmp_path.iterdir()) == []
