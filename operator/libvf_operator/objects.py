"""Reading and naming Kubernetes objects, which are plain documents here: what every noun needs. Pure."""

import json
from functools import lru_cache
from typing import Any

from libvf_api import names

Object = dict[str, Any]
Key = tuple[str, str]  # namespace, name


def key(thing: Object) -> Key:
    """Namespace and name."""
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def labels(thing: Object | None) -> dict[str, str]:
    """Its labels; none where there is no object."""
    return dict((thing or {}).get("metadata", {}).get("labels") or {})


def deleting(thing: Object | None) -> bool:
    """Whether it is on its way out."""
    return bool(thing and thing["metadata"].get("deletionTimestamp"))


def owned_by(thing: Object, owner: Object) -> bool:
    """Whether `owner`, by uid, controls it: a forced apply would adopt a stranger's object of the same name."""
    references = thing["metadata"].get("ownerReferences", [])
    return any(ref["uid"] == owner["metadata"]["uid"] for ref in references)


def condition(thing: Object | None, kind: str) -> Object:
    """The status condition of that type; empty where there is none."""
    conditions = ((thing or {}).get("status") or {}).get("conditions") or []
    return next((found for found in conditions if found["type"] == kind), {})


def launched(pod: Object | None) -> Object:
    """The launch document that a Pod of ours was made with, which nobody may change; empty for any other Pod."""
    annotations = (pod or {}).get("metadata", {}).get("annotations") or {}
    return _document(annotations.get(names.MACHINE_ANNOTATION, "{}"))


@lru_cache(maxsize=64)  # each look at a machine asks several times
def _document(text: str) -> Object:
    return dict(json.loads(text))


def child(api_version: str, kind: str, name: str, owner: Object, labels: dict[str, str]) -> Object:
    """The head of an object that `owner` controls, so that it goes when its owner goes."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": owner["metadata"]["namespace"],
            "labels": {names.MANAGED_BY: names.MANAGER, **labels},
            "ownerReferences": [reference],
        },
    }
