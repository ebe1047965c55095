"""Keeps the serving certificate: one for all replicas, renewed in time, and trusted by the API server."""

import base64
import logging
from datetime import UTC, datetime

from libvf_api import names
from libvf_api.apiserver import ApiError
from libvf_api.running import Object

from libvf_gateway import certificates
from libvf_gateway.certificates import Serving
from libvf_gateway.cluster import Cluster

log = logging.getLogger("libvf.gateway")

HOST = f"{names.GATEWAY}.{names.NAMESPACE}.svc"
"""The name by which the API server calls a Service, whatever address it dials."""

_KEYS = {"ca.crt": "authority", "ca.key": "authority_key", "tls.crt": "certificate", "tls.key": "key"}


async def settle(cluster: Cluster) -> Serving:
    """The certificate to serve with now, after it is kept and trusted; raises ApiError."""
    serving = await _kept(cluster)
    if await cluster.trust(serving.authority):
        log.info("the API server trusts the authority in Secret %s for this API now", names.GATEWAY)
    return serving


async def _kept(cluster: Cluster) -> Serving:
    while True:
        secret = await cluster.secret()
        old, now = _read(secret), datetime.now(UTC)
        if old and not old.due(HOST, now):
            return old
        new = certificates.renewed(old, HOST, now) if old else certificates.made(HOST, now)
        try:
            await cluster.keep(secret, {key: getattr(new, field) for key, field in _KEYS.items()})
        except ApiError as error:
            if error.status != 409:
                raise
            continue  # another replica was first: its certificate serves as well
        log.info("a new serving certificate is in Secret %s", names.GATEWAY)
        return new


def _read(secret: Object) -> Serving | None:
    data = secret.get("data") or {}
    if not set(_KEYS) <= set(data):
        return None
    return Serving(**{field: base64.b64decode(data[key]).decode() for key, field in _KEYS.items()})
