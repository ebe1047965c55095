"""Who asks: the API server says so in headers, which are believed from nobody else. Pure.

The API server proves itself with a client certificate of its front-proxy authority; what that authority, the allowed
names and the headers are is in the ConfigMap kube-system/extension-apiserver-authentication, which it keeps itself
(Kubernetes documentation, "Configure the Aggregation Layer").
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from libvf_gateway.refusal import Refusal

CONFIG_MAP = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"

Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class User:
    """A user as the API server has authenticated them; `extra` is what its authenticator adds, such as scopes."""

    name: str
    uid: str
    groups: tuple[str, ...]
    extra: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class FrontProxy:
    """The API server as a client: its authority as PEM, its names (any, where empty), and its headers, lower case."""

    authority: str
    allowed_names: tuple[str, ...]
    user: tuple[str, ...]
    uid: tuple[str, ...]
    groups: tuple[str, ...]
    extra: tuple[str, ...]

    def who(self, certificate: Mapping[str, Any] | None, headers: Headers) -> User:
        """The user of a request; `certificate` is the client's, verified against the authority, as ssl shows it.

        Raises Refusal 401 where there is none, or one of another name: then the headers may be anybody's.
        """
        if not certificate:
            raise Refusal(401, "only the API server is believed who asks: use its address, not this one")
        names = _common_names(certificate)
        if self.allowed_names and not set(names) & set(self.allowed_names):
            raise Refusal(401, f"a front proxy named {', '.join(names)} is not among --requestheader-allowed-names")
        listed = [(name.lower(), value) for name, value in headers]
        name = _first(listed, self.user)
        if not name:
            raise Refusal(401, "the API server did not say who asks")
        groups = tuple(value for header in self.groups for key, value in listed if key == header)
        return User(name, _first(listed, self.uid), groups, _extra(listed, self.extra))


def parse(config_map: Mapping[str, Any]) -> FrontProxy:
    """From the ConfigMap; raises Refusal 503 where the API server runs without an aggregation layer."""
    data = config_map.get("data") or {}
    authority = data.get("requestheader-client-ca-file")
    if not authority:
        raise Refusal(503, "the API server has no aggregation layer: start it with --requestheader-client-ca-file")

    def listed(key: str) -> tuple[str, ...]:
        return tuple(json.loads(data.get(f"requestheader-{key}") or "[]"))

    headers = (listed(key) for key in ("username-headers", "uid-headers", "group-headers", "extra-headers-prefix"))
    return FrontProxy(authority, listed("allowed-names"), *(_lower(names) for names in headers))


def _lower(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _common_names(certificate: Mapping[str, Any]) -> list[str]:
    """`subject` is a tuple of relative names, each a tuple of pairs (ssl.SSLSocket.getpeercert)."""
    pairs = [pair for relative in certificate.get("subject", ()) for pair in relative]
    return [value for key, value in pairs if key == "commonName"]


def _first(headers: list[tuple[str, str]], names: tuple[str, ...]) -> str:
    return next((value for name in names for key, value in headers if key == name), "")


def _extra(headers: list[tuple[str, str]], prefixes: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The part of a header's name after the prefix is percent-encoded (client-go, transport.SetAuthProxyHeaders)."""
    found: dict[str, tuple[str, ...]] = {}
    for key, value in headers:
        for prefix in prefixes:
            if key.startswith(prefix):
                name = unquote(key.removeprefix(prefix))
                found[name] = (*found.get(name, ()), value)
    return tuple(sorted(found.items()))
