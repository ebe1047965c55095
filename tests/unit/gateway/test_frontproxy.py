"""Whom the gateway believes, and what it reads of what the API server says."""

from typing import Any

import pytest
from libvf_gateway import frontproxy
from libvf_gateway.frontproxy import User
from libvf_gateway.refusal import Refusal

CONFIG: dict[str, Any] = {
    "data": {
        "requestheader-client-ca-file": "PEM",
        "requestheader-allowed-names": '["front-proxy-client"]',
        "requestheader-username-headers": '["X-Remote-User"]',
        "requestheader-uid-headers": '["X-Remote-Uid"]',
        "requestheader-group-headers": '["X-Remote-Group"]',
        "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
    }
}
HEADERS = [
    ("x-remote-user", "jane"),
    ("X-Remote-Group", "devs"),
    ("X-Remote-Group", "system:authenticated"),
    ("X-Remote-Extra-Example.com%2fscope", "read"),
    ("X-Remote-Extra-Example.com%2fscope", "write"),
    ("Accept", "*/*"),
]


def certificate(*names: str) -> dict[str, Any]:
    return {"subject": tuple((("commonName", name),) for name in names)}


def config(**data: str | None) -> dict[str, Any]:
    changed = {f"requestheader-{key.replace('_', '-')}": value for key, value in data.items()}
    return {"data": {key: value for key, value in (CONFIG["data"] | changed).items() if value is not None}}


def test_a_user_has_a_name_groups_and_what_the_authenticator_adds() -> None:
    user = frontproxy.parse(CONFIG).who(certificate("front-proxy-client"), HEADERS)
    assert user == User("jane", "", ("devs", "system:authenticated"), (("example.com/scope", ("read", "write")),))


def test_headers_under_other_names_are_those_that_the_api_server_says() -> None:
    renamed = config(username_headers='["X-Who", "X-Remote-User"]', uid_headers=None, group_headers="[]")
    user = frontproxy.parse(renamed).who(certificate("front-proxy-client"), [("X-Who", "joe"), *HEADERS])
    assert (user.name, user.groups) == ("joe", ())


@pytest.mark.parametrize(
    ("shown", "words"),
    [(None, "only the API server"), ({}, "only the API server"), (certificate("other"), "named other is not among")],
)
def test_without_the_api_servers_certificate_the_headers_are_anybodys(shown: Any, words: str) -> None:
    with pytest.raises(Refusal, match=words) as refusal:
        frontproxy.parse(CONFIG).who(shown, HEADERS)
    assert refusal.value.status == 401


def test_where_no_name_is_demanded_the_authority_is_enough() -> None:
    believing = frontproxy.parse(config(allowed_names="[]"))
    assert believing.who(certificate("any"), HEADERS).name == "jane"


def test_nobody_is_not_a_user() -> None:
    with pytest.raises(Refusal, match="did not say who asks"):
        frontproxy.parse(CONFIG).who(certificate("front-proxy-client"), [("X-Remote-User", "")])


def test_an_api_server_without_an_aggregation_layer_is_told_what_it_lacks() -> None:
    with pytest.raises(Refusal, match="start it with --requestheader-client-ca-file"):
        frontproxy.parse(config(client_ca_file=None))
