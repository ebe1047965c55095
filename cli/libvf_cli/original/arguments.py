"""The original's raw QEMU arguments -> identity of devices, the clock, and the allow-list. Pure."""

from __future__ import annotations

import re
from typing import Any

from libvf_cli.original.draft import Draft, listed, mapped

_IDENTITY = re.compile(r"device\.(?P<device>[\w-]+)\.x-pci-(?P<id>(?:sub-)?(?:vendor|device)-id)=(?P<value>\w+)")
_FIELDS = {
    "vendor-id": "vendorId", "device-id": "deviceId", "sub-vendor-id": "subVendorId", "sub-device-id": "subDeviceId",
}  # fmt: skip
_CLOCKS = {"base=localtime": "LocalTime", "base=utc": "Utc"}
# as spec.extraArguments says in the CRD
_ALLOWED = re.compile(
    r"-((rtc|boot|global|msg|icount) [A-Za-z0-9_.:=,+-]+|set device[.][A-Za-z0-9_.=-]+|no-fd-bootchk)"
)
_REFUSED = (
    "spec.extraArguments allows only -rtc, -boot, -global, -set, -msg, -icount and -no-fd-bootchk with plain values, "
    "as others open files, sockets or programs"
)


def commands(draft: Draft) -> None:
    """Each argument with each of its values."""
    given = listed("commands", draft.value("commands"))
    for number, entry in enumerate(given):
        path = f"commands[{number}]"
        command = mapped(path, entry)
        argument = "-" + str(command.get("arg") or "").lstrip("-")
        values = listed(f"{path}.values", command.get("values"))
        if "arg" in command:
            draft.carried(f"{path}.arg", command["arg"], "with its values")
        if not values:
            _one(draft, f"{path}.values" if "values" in command else f"{path}.arg", argument, "")
        for index, value in enumerate(values):
            _one(draft, f"{path}.values[{index}]", argument, str(value))
    if not given and "commands" in draft.given:
        draft.carried("commands", draft.given["commands"])


def _one(draft: Draft, path: str, argument: str, value: str) -> None:
    text = f"{argument} {value}".strip()
    if argument == "-set" and (match := _IDENTITY.fullmatch(value)):
        _identity(draft, path, text, match)
    elif argument == "-rtc" and value in _CLOCKS:
        draft.spec["clock"] = _CLOCKS[value]
        draft.carried(path, text, "spec.clock")
    elif _ALLOWED.fullmatch(text):
        draft.spec.setdefault("extraArguments", []).append(text)
        why = "names of devices are others here: see command.json in the launcher" if "device." in text else ""
        (
            draft.changed(path, text, why, "spec.extraArguments")
            if why
            else draft.carried(path, text, "spec.extraArguments")
        )
    else:
        draft.dropped(path, text, _REFUSED)


def _identity(draft: Draft, path: str, text: str, match: re.Match[str]) -> None:
    field, identity = _FIELDS[match["id"]], draft.spec.setdefault("deviceIdentity", {})
    try:
        value = f"0x{int(match['value'], 0):04x}"
    except ValueError:
        draft.dropped(path, text, f"{match['value']!r} is no PCI id")
        return
    if identity.get(field, value) != value:
        draft.dropped(path, text, f"all GPUs of a VM have one identity, and spec.deviceIdentity.{field} is taken")
        return
    identity[field] = value
    draft.changed(
        path, text, "holds for all GPUs of the VM, whatever the device is called", f"spec.deviceIdentity.{field}"
    )


def rest(draft: Draft, given: dict[str, Any]) -> None:
    """What the original always did, and what it never asks for here."""
    draft.spec.setdefault("clock", "LocalTime")
    for key in ("startintro", "startapp", "root", "sudo"):
        if str(given.get(key) or "false").lower() != "false":
            draft.dropped(key, given[key])
        elif key in given:
            draft.carried(key, given[key], "it is off")
    for key in ("startupCommands", "teardownCommands", "installCommands", "appCommands"):
        if key in given and not given[key]:
            draft.carried(key, given[key], "there are none")
