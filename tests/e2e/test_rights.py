"""Least privilege: every rule of our RBAC was used by the tests before this one, and nothing was refused.

The API server's audit log says what each service account asked for since the lab was started.
"""

import json

import pytest
import yaml

from lab.testbed import REPOSITORY, Testbed

pytestmark = [pytest.mark.e2e, pytest.mark.last]

# asked of the authorizer by the API server itself, so never in the audit log
CHECKED_BY_THE_API_SERVER = {
    # OwnerReferencesPermissionEnforcement, for owner references with blockOwnerDeletion
    ("libvf-operator", "libvf.io", "virtualmachines/finalizers", "update"),
    ("libvf-operator", "libvf.io", "gpupartitions/finalizers", "update"),
    # a server-side apply that makes the object
    ("libvf-agent", "resource.k8s.io", "resourceslices", "create"),
    # ResourceClaim strategy: a driver's write of its device status
    ("libvf-agent", "resource.k8s.io", "resourceclaims/driver", "associated-node:patch"),
    # the second question that it asks of a WebSocket that begins an exec, since 1.35
    ("libvf-gateway", "", "pods/exec", "create"),
}

Right = tuple[str, str, str, str]  # account, group, resource, verb


def granted() -> set[Right]:
    found: set[Right] = set()
    for name in ("operator", "agent", "gateway"):
        documents = yaml.safe_load_all((REPOSITORY / "manifests" / "base" / f"{name}.yaml").read_text())
        roles = [d for d in documents if d["kind"] in ("ClusterRole", "Role")]
        found |= {
            (role["metadata"]["name"], group, resource, verb)
            for role in roles
            for rule in role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }
    return found


def asked(log: str) -> tuple[set[Right], list[str]]:
    """What was asked for, and what of it was forbidden."""
    used: set[Right] = set()
    refused = []
    for line in log.splitlines():
        event = json.loads(line)
        account = event["user"]["username"].rpartition(":")[2]
        place = event.get("objectRef") or {}
        resource = "/".join(filter(None, (place.get("resource"), place.get("subresource"))))
        if resource:
            used.add((account, place.get("apiGroup", ""), resource, event["verb"]))
        if "RBAC" in event.get("annotations", {}).get("authorization.k8s.io/reason", "") and (
            event["annotations"]["authorization.k8s.io/decision"] == "forbid"
        ):
            refused.append(f"{account}: {event['verb']} {resource}")
    return used, refused


def test_nothing_was_refused(lab: Testbed) -> None:
    _, refused = asked(lab.plane.audit_log.read_text())
    assert refused == []


@pytest.mark.long  # all tests are in `make soak` alone
def test_every_right_was_used(lab: Testbed) -> None:
    used, _ = asked(lab.plane.audit_log.read_text())
    assert granted() - used - CHECKED_BY_THE_API_SERVER == set()
