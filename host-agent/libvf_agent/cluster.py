"""The agent's only door to the API server: claims, their status, policies, this node's own slices and condition.

Nothing is watched but the slices of this node and the policies.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from libvf_api.apiserver import ApiError, ApiServer, Json
from libvf_api.names import AGENT_MANAGER, API_VERSION, DRIVER
from libvf_api.names import POLICIES as PLURAL

from libvf_agent.errors import ClaimError, ClusterError

SLICES = "/apis/resource.k8s.io/v1/resourceslices"
NODES = "/api/v1/nodes"
POLICIES = f"/apis/{API_VERSION}/{PLURAL}"
CLAIMS = "/apis/resource.k8s.io/v1/namespaces/{namespace}/resourceclaims/{name}"
WATCH_SECONDS = 240


class Door(Protocol):
    """What the agent needs of a cluster."""

    async def claim(self, namespace: str, name: str) -> Json | None: ...
    async def apply_claim_status(self, body: Json) -> None: ...
    async def node(self, name: str) -> Json: ...
    async def apply_node_status(self, body: Json) -> None: ...
    async def slices(self, node: str) -> list[Json]: ...
    async def put_slice(self, body: Json) -> None: ...
    async def delete_slice(self, name: str) -> None: ...
    def slice_events(self, node: str) -> AsyncIterator[Json]: ...
    async def policies(self) -> list[Json] | None: ...
    def policy_events(self) -> AsyncIterator[Json]: ...


class Cluster:
    """The real API server; every method raises ClusterError."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    @classmethod
    async def connect(cls) -> Cluster:
        """With the credentials of KUBECONFIG or of the Pod."""
        return cls(await ApiServer.connect())

    async def close(self) -> None:
        """Gives the connections back."""
        await self._server.close()

    async def claim(self, namespace: str, name: str) -> Json | None:
        """The claim, None where there is none."""
        try:
            with _typed():
                return await self._server.get(CLAIMS.format(namespace=namespace, name=name))
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    async def apply_claim_status(self, body: Json) -> None:
        """Server-side apply of `status.devices`; ClaimError where the allocation is not that any more."""
        path = CLAIMS.format(**{key: body["metadata"][key] for key in ("namespace", "name")}) + "/status"
        try:
            with _typed():
                await self._server.apply(path, body, AGENT_MANAGER)
        except ClusterError as error:
            if error.status in (404, 409, 422):
                raise ClaimError(f"the claim changed while it was prepared: {error}") from error
            raise

    async def node(self, name: str) -> Json:
        """The Node."""
        with _typed():
            return await self._server.get(f"{NODES}/{name}")

    async def apply_node_status(self, body: Json) -> None:
        """Server-side apply of a condition of ours; the others are kubelet's and stay as they are."""
        with _typed():
            await self._server.apply(f"{NODES}/{body['metadata']['name']}/status", body, AGENT_MANAGER)

    async def slices(self, node: str) -> list[Json]:
        """The slices of this driver on this node."""
        with _typed():
            return cast(list[Json], (await self._server.get(SLICES, _ours(node))).get("items") or [])

    async def put_slice(self, body: Json) -> None:
        """Makes or replaces a slice of ours."""
        with _typed():
            await self._server.apply(f"{SLICES}/{body['metadata']['name']}", body, AGENT_MANAGER)

    async def delete_slice(self, name: str) -> None:
        """Removes a slice; it may be gone already."""
        with _typed():
            await self._server.delete(f"{SLICES}/{name}")

    async def slice_events(self, node: str) -> AsyncIterator[Json]:
        """What happens to our slices from now on, until the server ends the watch after some minutes."""
        with _typed():
            async for event in self._server.watch(SLICES, _ours(node), WATCH_SECONDS):
                yield event

    async def policies(self) -> list[Json] | None:
        """All GpuPolicies; None where the cluster does not know what that is."""
        try:
            with _typed():
                return cast(list[Json], (await self._server.get(POLICIES)).get("items") or [])
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    async def policy_events(self) -> AsyncIterator[Json]:
        """All GpuPolicies as a first event of type LIST, then each change, until the server ends the watch."""
        with _typed():
            async for event in self._server.follow(POLICIES, {}, WATCH_SECONDS):
                yield event


@contextmanager
def _typed() -> Iterator[None]:
    """The API server's errors in the agent's own tree, which says what may be tried again."""
    try:
        yield
    except ApiError as error:
        raise ClusterError(str(error), error.status) from error


def _ours(node: str) -> Json:
    return {"fieldSelector": f"spec.driver={DRIVER},spec.nodeName={node}"}
