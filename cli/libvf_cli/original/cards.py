"""The original's gpus, nics and blacklist -> gpus, nics and GpuPolicies. Pure."""

from __future__ import annotations

import re
from typing import Any

from libvf_api import names
from libvf_api.pci import BadPciAddress, PciAddress

from libvf_cli.original.document import BadOriginal
from libvf_cli.original.draft import Draft, listed, mapped, whole

_TYPE = re.compile(r"[A-Za-z0-9_.*-]{1,64}")
_MAC = re.compile(r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}")
_MODES = {"sysfsdev": "Mediated", "sriovdev": "VirtualFunction", "passthrough": "Passthrough"}
_POLICY = "a GpuPolicy is the administrator's, for all nodes: it is made by --policies"


def gpus(draft: Draft) -> None:
    """Each gpu by its kind."""
    given = draft.value("gpus")
    entries = [given] if isinstance(given, dict) else listed("gpus", given)
    found = [
        _gpu(draft, f"gpus[{number}]", mapped(f"gpus[{number}]", gpu), number) for number, gpu in enumerate(entries)
    ]
    if found:
        draft.spec["gpus"] = found
    elif "gpus" in draft.given:
        draft.carried("gpus", given)


def nics(draft: Draft) -> None:
    """Virtual functions of network cards."""
    found = []
    for number, nic in enumerate(listed("nics", draft.value("nics"))):
        path = f"nics[{number}].mac"
        mac = mapped(f"nics[{number}]", nic).get("mac")
        if mac is None or _MAC.fullmatch(str(mac).lower()):
            found.append({"name": f"nic{number}", **({"mac": str(mac).lower()} if mac else {})})
            draft.carried(path, mac)
        else:
            draft.dropped(path, mac, "it is no address of a card: six pairs of digits, the first one even")
    if found:
        draft.spec["nics"] = found
    elif draft.given.get("nics") in ([], None) and "nics" in draft.given:
        draft.carried("nics", draft.given["nics"])


def blacklist(draft: Draft) -> None:
    """Cards that are never touched: an administrator's policy, no part of a VM."""
    addresses = []
    for number, text in enumerate(listed("blacklistedPci", draft.value("blacklistedPci"))):
        path = f"blacklistedPci[{number}]"
        try:
            addresses.append(str(PciAddress.parse(str(text))))
        except BadPciAddress as error:
            draft.dropped(path, text, str(error))
            continue
        draft.changed(path, text, _POLICY)
    if addresses:
        draft.policies.append(_policy(f"{draft.name}-excluded", {"exclude": sorted(set(addresses))}))
    elif draft.given.get("blacklistedPci") in ([], None) and "blacklistedPci" in draft.given:
        draft.carried("blacklistedPci", draft.given["blacklistedPci"])


def _gpu(draft: Draft, path: str, given: dict[str, Any], number: int) -> dict[str, Any]:
    kind = str(given.get("gpuType", "sysfsdev"))
    if kind not in _MODES:
        raise BadOriginal(f"{path}.gpuType: {kind!r} is none of {', '.join(_MODES)}")
    gpu: dict[str, Any] = {"name": f"gpu{number}", "mode": _MODES[kind]}
    if "gpuType" in given:
        draft.carried(f"{path}.gpuType", kind)
    by_type = _type(draft, path, given, gpu) if kind == "sysfsdev" else False
    _memory(draft, path, given, gpu, kind, by_type)
    for key in ("parentPort", "devId", "suffix"):
        if given.get(key):
            draft.dropped(f"{path}.{key}", given[key])
        elif key in given:
            draft.carried(f"{path}.{key}", given[key], f"{path}: any will do")
    for index, one in enumerate(listed(f"{path}.acceptableTypes", given.get("acceptableTypes"))):
        draft.dropped(f"{path}.acceptableTypes[{index}]", one)
    if "acceptableTypes" in given and not given["acceptableTypes"]:
        draft.carried(f"{path}.acceptableTypes", given["acceptableTypes"], f"{path}: any type will do")
    if "bdf" in given:
        _address(draft, f"{path}.bdf", given["bdf"], number)
    return gpu


def _type(draft: Draft, path: str, given: dict[str, Any], gpu: dict[str, Any]) -> bool:
    name = given.get("mdevType")
    if name and _TYPE.fullmatch(str(name)):
        gpu["type"] = str(name)
        draft.carried(f"{path}.mdevType", name)
        return True
    if name:
        draft.dropped(f"{path}.mdevType", name, "it is no name of a type: kubectl vf gpus lists those that there are")
    elif "mdevType" in given:
        draft.carried(f"{path}.mdevType", name, f"{path}: any type will do")
    return False


def _memory(draft: Draft, path: str, given: dict[str, Any], gpu: dict[str, Any], kind: str, by_type: bool) -> None:
    """A range of video memory; the original looks at it only where it picks the type of a mediated device itself."""
    for key, bound in (("minVRam", "min"), ("maxVRam", "max")):
        where, value = f"{path}.{key}", draft.value(f"{path}.{key}", given, key)
        if by_type or kind == "passthrough":
            if key in given:
                why = "the type says how much" if by_type else "a whole card has all of its memory"
                draft.dropped(where, value, f"{why}, as with LibVF.IO")
        elif key in given or kind == "sysfsdev":
            gpu.setdefault("vram", {})[bound] = f"{whole(where, value)}Mi"
            draft.carried(where, value, f"spec.gpus[{gpu['name']}].vram.{bound}")


def _address(draft: Draft, path: str, text: Any, number: int) -> None:
    try:
        address = str(PciAddress.parse(str(text)))
    except BadPciAddress as error:
        draft.dropped(path, text, str(error))
        return
    spec = {"cards": {"addresses": [address]}, "modes": ["Passthrough"], "takeFromHost": True}
    draft.policies.append(_policy(f"{draft.name}-gpu{number}", spec))
    draft.changed(path, text, f"{_POLICY}; the VM asks for a whole card, and gets any that a policy hands out")


def _policy(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": names.API_VERSION, "kind": "GpuPolicy", "metadata": {"name": name}, "spec": spec}
