"""Which slices of a pool are written when it changes, and in which generation. Pure.

A pool whose slices are not all of one generation is skipped by the scheduler, and machines spread to other cards
meanwhile. So the generation is raised only where slices must be read together; what one write does is done in place, as
Kubernetes' own helper for drivers does it (`resourceslice.Controller`, 1.37), and so is a flip of `open`, which is read
device by device.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def renewed(wanted: list[Json], present: dict[int, Json]) -> dict[int, Json]:
    """The specs to write, by their place in the pool; none where the API server has just these.

    `wanted` are the specs of one pool in order, `present` those that are published, by place.
    """
    specs = [_dated(spec, present.get(place)) for place, spec in enumerate(wanted)]
    generations = {spec["pool"]["generation"] for spec in present.values()}
    changed = [place for place, spec in enumerate(specs) if _bare(present.get(place)) != _bare(spec)]
    if len(generations) == 1 and len(present) == len(specs):
        apart = len(changed) <= 1 or all(_is_only_open(specs[place], present[place]) for place in changed)
        if apart:
            [generation] = generations
            return {place: _of(specs[place], generation) for place in changed}
    generation = max(generations, default=0) + 1
    return {place: _of(spec, generation) for place, spec in enumerate(specs)}


def _of(spec: Json, generation: int) -> Json:
    return {**spec, "pool": {**spec["pool"], "generation": generation}}


def _bare(spec: Json | None) -> Json | None:
    """The spec without its generation, for comparing."""
    return _of(spec, 0) if spec else None


def _is_only_open(spec: Json, published: Json) -> bool:
    return _bare(_without_open(spec)) == _bare(_without_open(published))


def _without_open(spec: Json) -> Json:
    devices = [
        {**device, "attributes": {key: value for key, value in device["attributes"].items() if key != "open"}}
        for device in spec.get("devices", [])
    ]
    return {**spec, "devices": devices}


def _dated(spec: Json, published: Json | None) -> Json:
    """The spec with the time of each taint as the API server noted it when it came.

    It is no news, and without it the slice would look changed for ever.
    """
    there = {device["name"]: device.get("taints", []) for device in (published or {}).get("devices", [])}
    if not any(there.values()):
        return spec
    devices = [
        {**device, "taints": [_since(taint, there.get(device["name"], [])) for taint in device["taints"]]}
        if "taints" in device
        else device
        for device in spec["devices"]
    ]
    return {**spec, "devices": devices}


def _since(taint: Json, published: list[Json]) -> Json:
    return next((one for one in published if {**one, "timeAdded": None} == {**taint, "timeAdded": None}), taint)
