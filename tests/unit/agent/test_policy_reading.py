"""The driver and policies: what holds for its claims, what it says of them, and when it reads them again."""

import json
from pathlib import Path

import pytest
from libvf_agent import last_policies
from libvf_agent.claims import ClaimRef
from libvf_agent.errors import AgentError, ClusterError
from libvf_agent.policies import Rulebook
from libvf_agent.rules import CardId

from tests.unit.agent.plugged import UID, Bed, Json, xga


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    return Bed(tmp_path)


async def refusal(bed: Bed) -> str:
    """Why the claim is not prepared."""
    with pytest.raises(AgentError) as refused:
        await bed.driver.prepare(ClaimRef("ns", "desk-gpu0", UID))
    return str(refused.value)


def reported(bed: Bed) -> Json:
    [carrier] = [s for s in bed.cluster.published.values() if "libvf.io/reports" in s["metadata"]["labels"]]
    [policy] = json.loads(carrier["metadata"]["annotations"]["libvf.io/policies"])
    return dict(policy)


async def test_policies_decide_what_is_published_and_how_they_fare_is_said_on_the_slice_of_kvm(bed: Bed) -> None:
    bed.cluster.rule(types=["mdpy-xga"])
    await bed.driver.publish()
    mine = [s["spec"] for s in bed.cluster.published.values() if s["spec"]["pool"]["name"] == "n1-mdpy"]
    offered = [d for s in mine for d in s.get("devices", [])]
    assert {d["attributes"]["type"]["string"] for d in offered} == {"mdpy-xga"}
    assert {d["attributes"]["policy"]["string"] for d in offered} == {"p"}
    told = {"name": "p", "uid": "policy-uid", "generation": 1}
    assert reported(bed) == {**told, "cards": [{"name": "mdpy", "effective": True, "reason": "InForce"}]}


async def test_a_new_word_on_a_policy_is_written_without_a_new_generation_of_the_pool(bed: Bed) -> None:
    bed.cluster.rule()
    await bed.driver.publish()
    before = {name: s["spec"]["pool"]["generation"] for name, s in bed.cluster.published.items()}
    bed.cluster.rule(generation=2)
    assert await bed.driver.publish() == 1
    assert reported(bed)["generation"] == 2
    assert {name: s["spec"]["pool"]["generation"] for name, s in bed.cluster.published.items()} == before
    assert await bed.driver.publish() == 0


async def test_a_claim_that_comes_before_anything_was_published_is_held_to_the_policies_too(bed: Bed) -> None:
    bed.cluster.rule(modes=[])
    xga(bed)
    assert "policy p does not allow mdpy-xga on n1-mdpy any more" in await refusal(bed)
    assert bed.kernel.mdev.devices == {}


async def test_without_policies_to_read_nothing_is_carved_and_nothing_published(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused() -> list[Json] | None:
        raise ClusterError("gpupolicies is forbidden", 403)

    monkeypatch.setattr(bed.cluster, "policies", refused)
    xga(bed)
    assert "forbidden" in await refusal(bed)
    with pytest.raises(ClusterError):
        await bed.driver.publish()
    assert (bed.kernel.mdev.devices, bed.cluster.published) == ({}, {})


async def test_only_what_changes_a_policy_is_news(bed: Bed) -> None:
    policy = bed.cluster.rule()
    assert bed.driver.is_news({"type": "LIST", "object": {"items": [policy]}}), "nothing was read yet"
    await bed.driver.publish()
    same = {**policy, "status": {"conditions": []}}
    newer = {**policy, "metadata": {**policy["metadata"], "generation": 2}}
    anew = {**policy, "metadata": {**policy["metadata"], "uid": "another"}}
    other = {**policy, "metadata": {**policy["metadata"], "name": "q"}}
    assert not bed.driver.is_news({"type": "LIST", "object": {"items": [same]}})
    assert not bed.driver.is_news({"type": "MODIFIED", "object": same})
    assert not bed.driver.is_news({"type": "DELETED", "object": other})
    assert bed.driver.is_news({"type": "LIST", "object": {"items": []}})
    assert bed.driver.is_news({"type": "DELETED", "object": same})
    assert all(bed.driver.is_news({"type": "MODIFIED", "object": thing}) for thing in (newer, anew))
    assert bed.driver.is_news({"type": "ADDED", "object": other})
    assert bed.driver.is_news({"type": "ERROR", "object": {"code": 410}})


async def test_who_looks_at_the_host_by_itself_goes_by_the_policies_that_were_read_last(
    bed: Bed, tmp_path: Path
) -> None:
    assert last_policies.read(tmp_path / "state").book == Rulebook()
    bed.cluster.rule(modes=["Passthrough"])
    await bed.driver.publish()
    kept = last_policies.read(tmp_path / "state")
    assert [policy["metadata"]["name"] for policy in kept.policies] == ["p"]
    assert kept.book.rules(CardId("mdpy", "kernel-sample")).modes == {"Passthrough"}
    bed.cluster.ruled = []
    await bed.driver.publish()
    assert last_policies.read(tmp_path / "state").book == Rulebook()


@pytest.mark.parametrize("text", ["", "{", '{"policies": 3}', "\x80"])
def test_what_was_kept_and_is_not_understood_counts_as_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "policies.json").write_bytes(text.encode("latin-1"))
    assert last_policies.read(tmp_path).book == Rulebook()
