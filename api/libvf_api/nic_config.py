"""NicConfig: what a claim says of the virtual function of a network card that it asks for.

It stands in the claim as opaque configuration of our driver (`devices.config[].opaque.parameters`), and so in its
allocation, where the agent reads it. Any claim may carry one, not only a VM's.
"""

from typing import Any, Literal

import msgspec

from libvf_api import mac
from libvf_api.names import API_VERSION

KIND = "NicConfig"


class BadNicConfig(ValueError):
    """Parameters that are no NicConfig; the text says what is wrong with them."""


class NicConfig(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`mac` is the address that the function gets before its guest sees it; without one its card's own holds."""

    api_version: Literal["libvf.io/v1alpha1"]
    kind: Literal["NicConfig"]
    mac: str = ""


def parameters(address: str) -> dict[str, str]:
    """The parameters that ask for an address."""
    return {"apiVersion": API_VERSION, "kind": KIND, "mac": address}


def parse(said: Any) -> NicConfig:
    """From parameters; raises BadNicConfig."""
    try:
        config = msgspec.convert(said, NicConfig)
    except msgspec.ValidationError as error:
        raise BadNicConfig(str(error)) from error
    if config.mac and not mac.is_of_one_card(config.mac):
        raise BadNicConfig(f"{config.mac!r} is no address of a card: write it as 52:54:00:12:34:56, first pair even")
    return config
