"""Asking the real scheduler: a claim and a Pod of it, and what became of them. One client and two watches for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from libvf_agent.claims import ClaimRef
from libvf_api.apiserver import ApiError, ApiServer
from libvf_api.names import DRIVER
from libvf_operator.claim import for_partition

Json = dict[str, Any]
Found = TypeVar("Found")

PODS = "/api/v1/namespaces/default/pods"
CLAIMS = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims"
LABEL = f"random-life.{DRIVER}"
MANAGER = "random-life"
WATCH_SECONDS = 3600
ANSWER_SECONDS = 60.0
UNHEARD_SECONDS = 2.0
# what the scheduler knows of slices and claims comes to it by other watches than the Pod, and may be older
SETTLE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the scheduler said to a Pod; `words` is why not."""

    placed: bool
    words: str = ""


class Scheduler:
    """Claims and Pods of this run, and the answers to them."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.asked_again = 0
        self._pods = 0
        self._seen: dict[str, Json | None] = {}
        self._changed: dict[str, asyncio.Event] = {}

    @classmethod
    @asynccontextmanager
    async def watched(cls, server: ApiServer) -> AsyncIterator[Scheduler]:
        """A scheduler whose answers are heard while this is open."""
        scheduler = cls(server)
        watches = [asyncio.create_task(scheduler._listen(path)) for path in (PODS, CLAIMS)]
        try:
            yield scheduler
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)

    async def claim(self, name: str, spec: Json) -> ClaimRef:
        """The claim that the operator would make of a GpuPartition of this spec."""
        head = {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPartition"}
        meta = {"name": name, "namespace": "default", "uid": name}
        wanted = for_partition({**head, "metadata": meta, "spec": spec})
        # no partition stands behind it, and what has an owner that is not there is collected
        metadata = {"name": name, "namespace": "default", "labels": {LABEL: "claim"}}
        made = await self.server.create(CLAIMS, {**wanted, "metadata": metadata}, MANAGER)
        return ClaimRef("default", name, made["metadata"]["uid"])

    async def ask(self, ref: ClaimRef, node: str, expected: bool, old_news: bool) -> tuple[str, Answer]:
        """The scheduler's answer to a Pod with this claim that may go to this node only; and the Pod's name.

        An unexpected answer is asked for again: a refusal for some seconds; a yes once, and only where somebody else
        has just taken something (`old_news`).
        """
        deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
        while True:
            self._pods += 1
            pod = f"{ref.name}-{self._pods}"
            await self.server.create(PODS, _pod(pod, ref.name, node), MANAGER)
            answer = await self._until(PODS, pod, _said)
            late = asyncio.get_running_loop().time() > deadline
            if answer.placed == expected or (not old_news if answer.placed else late):
                return pod, answer
            old_news = old_news and not answer.placed
            await self.stop(ref, pod)
            self.asked_again += 1

    async def stop(self, ref: ClaimRef, pod: str) -> None:
        """The Pod is gone and the claim free for another one, maybe elsewhere, when this returns."""
        await self._gone(PODS, pod)
        await self._until(CLAIMS, ref.name, _is_free)

    async def release(self, ref: ClaimRef, pod: str) -> None:
        """The Pod and its claim are gone when this returns."""
        await self._gone(PODS, pod)
        await self.forget(ref)

    async def forget(self, ref: ClaimRef) -> None:
        """A claim that no Pod uses is gone when this returns."""
        await self._gone(CLAIMS, ref.name)

    async def _gone(self, path: str, name: str) -> None:
        await self.server.delete(f"{path}/{name}")
        await self._until(path, name, lambda seen: True if seen is None else None)
        self._seen.pop(name, None)
        self._changed.pop(name, None)

    async def _until(self, path: str, name: str, look: Callable[[Json | None], Found | None]) -> Found:
        """What `look` finds in the object, which is None when it is gone; looked at again at each event of it."""
        changed = self._changed.setdefault(name, asyncio.Event())
        deadline = asyncio.get_running_loop().time() + ANSWER_SECONDS
        while (found := look(self._seen.get(name, {}))) is None:
            assert asyncio.get_running_loop().time() < deadline, f"nothing became of {name}: {self._seen.get(name)}"
            changed.clear()
            try:
                await asyncio.wait_for(changed.wait(), UNHEARD_SECONDS)
            except TimeoutError:
                await self._look(path, name)
        return found

    async def _look(self, path: str, name: str) -> None:
        """Without an event: it may have come before the watch began."""
        try:
            self._seen[name] = await self.server.get(f"{path}/{name}")
        except ApiError as error:
            if error.status != 404:
                raise
            self._seen[name] = None

    async def _listen(self, path: str) -> None:
        while True:
            try:
                async for event in self.server.watch(path, {"labelSelector": LABEL}, WATCH_SECONDS):
                    self._heard(event["type"], event["object"])
            except ApiError:
                await asyncio.sleep(UNHEARD_SECONDS)

    def _heard(self, kind: str, thing: Json) -> None:
        name = thing["metadata"]["name"]
        self._seen[name] = None if kind == "DELETED" else thing
        if changed := self._changed.get(name):
            changed.set()


def _said(pod: Json | None) -> Answer | None:
    """Placed, or refused by the allocator; None while neither is known."""
    assert pod is not None, "somebody else deleted the Pod"
    if pod.get("spec", {}).get("nodeName"):
        return Answer(True)
    for condition in pod.get("status", {}).get("conditions") or []:
        if (condition["type"], condition.get("reason")) == ("PodScheduled", "Unschedulable"):
            words = condition.get("message", "")
            # any other word is of something that passes, such as a claim that the scheduler has not heard of yet
            return Answer(False, words) if "cannot allocate all claims" in words else None
    return None


def _is_free(claim: Json | None) -> bool | None:
    """True as soon as nothing is allocated to it; the controller waits until its Pod is gone."""
    assert claim is not None, "somebody else deleted the claim"
    return True if claim and not claim.get("status", {}).get("allocation") else None


def _pod(name: str, claim: str, node: str) -> Json:
    """Pinned by the node's name, which the scheduler looks up without trying the other nodes.

    A grace of 0 seconds, as no kubelet ends it.
    """
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    affinity = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [field]}]}
        }
    }
    container = {"name": "guest", "image": "none", "resources": {"claims": [{"name": "gpu"}]}}
    spec = {
        "affinity": affinity,
        "automountServiceAccountToken": False,
        "containers": [container],
        "resourceClaims": [{"name": "gpu", "resourceClaimName": claim}],
        "terminationGracePeriodSeconds": 0,
        "tolerations": [{"operator": "Exists"}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {LABEL: "pod"}}, "spec": spec}
