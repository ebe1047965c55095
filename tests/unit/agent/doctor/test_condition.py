"""The examination as a condition of the Node."""

from typing import Any

from libvf_agent.doctor.condition import info_of, patch
from libvf_agent.doctor.facts import NodeInfo
from libvf_api.host import Examination, Finding, Severity

Json = dict[str, Any]
EARLIER, NOW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
WELL = Examination((Finding("host", "Kernel", Severity.OK, "Linux 6.12"),))
NO_IOMMU = Finding("host", "Iommu", Severity.ERROR, "no IOMMU is on", "turn on VT-d")
NO_KVM = Finding("host", "Kvm", Severity.ERROR, "/dev/kvm: No such file", "modprobe kvm_intel")
SHAKY = Finding("host", "Memlock", Severity.WARNING, "no hook", "start the agent")
UNREAD = Finding("kubelet", "Kubelet", Severity.UNKNOWN, "not told")


def node(*conditions: Json) -> Json:
    return {"metadata": {"name": "n1", "uid": "u"}, "status": {"conditions": [{"type": "Ready"}, *conditions]}}


def condition(body: Json | None) -> Json:
    assert body is not None
    [one] = body["status"]["conditions"]
    return dict(one)


def test_a_host_that_lacks_nothing_is_healthy() -> None:
    said = condition(patch(node(), WELL, NOW))
    assert (said["type"], said["status"], said["reason"]) == ("LibvfReady", "True", "Healthy")
    assert said["lastTransitionTime"] == NOW


def test_warnings_and_what_is_unknown_fail_nothing() -> None:
    said = condition(patch(node(), Examination((SHAKY, UNREAD)), NOW))
    assert (said["status"], said["message"]) == ("True", "1 warnings: kubectl vf doctor tells them")


def test_the_first_failing_check_is_the_reason_and_the_message_has_all_with_their_cures() -> None:
    said = condition(patch(node(), Examination((SHAKY, NO_IOMMU, NO_KVM)), NOW))
    assert (said["status"], said["reason"]) == ("False", "Iommu")
    assert said["message"] == (
        "host: no IOMMU is on (cure: turn on VT-d); host: /dev/kvm: No such file (cure: modprobe kvm_intel)"
    )


def test_what_the_node_says_already_is_not_written_again() -> None:
    present = condition(patch(node(), Examination((NO_IOMMU,)), EARLIER))
    assert patch(node(present), Examination((NO_IOMMU,)), NOW) is None
    assert patch(node(present), Examination((NO_KVM,)), NOW) is not None


def test_the_time_of_transition_is_that_of_the_status() -> None:
    present = condition(patch(node(), Examination((NO_IOMMU,)), EARLIER))
    assert condition(patch(node(present), Examination((NO_KVM,)), NOW))["lastTransitionTime"] == EARLIER
    assert condition(patch(node(present), WELL, NOW))["lastTransitionTime"] == NOW


def test_only_our_own_condition_is_applied() -> None:
    body = patch(node(), WELL, NOW)
    assert body is not None
    assert body["metadata"] == {"name": "n1"}
    assert [one["type"] for one in body["status"]["conditions"]] == ["LibvfReady"]


def test_a_long_message_is_cut() -> None:
    many = Examination(tuple(Finding(f"card{n}", "GpuDriver", Severity.ERROR, "x" * 100, "y") for n in range(30)))
    assert len(condition(patch(node(), many, NOW))["message"]) == 1024


def test_a_node_that_tells_nothing_has_no_versions() -> None:
    assert info_of({"metadata": {"name": "n1"}}) == NodeInfo()
    info = {"kubeletVersion": "v1.36.1", "containerRuntimeVersion": "containerd://2.0.4"}
    assert info_of({"status": {"nodeInfo": info}}) == NodeInfo("v1.36.1", "containerd://2.0.4")
