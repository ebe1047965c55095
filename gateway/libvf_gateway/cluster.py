"""The gateway's only door to Kubernetes: who may, which Pod, programs in it, changes of a VM, its own certificate."""

import base64
from collections.abc import Sequence

from libvf_api import names
from libvf_api.apiserver import ApiError, ApiServer
from libvf_api.running import Object

from libvf_gateway import frontproxy
from libvf_gateway.execution import Execution
from libvf_gateway.frontproxy import FrontProxy, User
from libvf_gateway.refusal import Refusal
from libvf_gateway.subresources import VERSION, Subresource

_SECRET = f"/api/v1/namespaces/{names.NAMESPACE}/secrets/{names.GATEWAY}"
_API_SERVICE = f"/apis/apiregistration.k8s.io/v1/apiservices/{VERSION}.{names.SUBRESOURCES_GROUP}"


class Cluster:
    """The API server, with this gateway's rights; raises ApiError, and Refusal where the user is to be told."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    @classmethod
    async def connect(cls) -> "Cluster":
        """With the credentials of KUBECONFIG or of the Pod."""
        return cls(await ApiServer.connect())

    async def close(self) -> None:
        """Give the connections back."""
        await self._server.close()

    async def front_proxy(self) -> FrontProxy:
        """How the API server proves itself."""
        return frontproxy.parse(await self._server.get(frontproxy.CONFIG_MAP))

    async def authorize(self, user: User, subresource: Subresource, namespace: str, name: str) -> None:
        """Raises Refusal 403 where the user may not."""
        asked = {
            "group": names.SUBRESOURCES_GROUP,
            "version": VERSION,
            "resource": names.MACHINES,
            "subresource": subresource.name,
            "verb": subresource.verb,
            "namespace": namespace,
            "name": name,
        }
        who = {"user": user.name, "uid": user.uid, "groups": user.groups}
        spec = {**who, "extra": dict(user.extra), "resourceAttributes": asked}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        answer = await self._server.create(path, body, names.GATEWAY_MANAGER)
        if not answer["status"].get("allowed"):
            what = f"{names.MACHINES}/{subresource.name} in API group {names.SUBRESOURCES_GROUP}"
            raise Refusal(403, f"User {user.name} cannot {subresource.verb} {what} in the namespace {namespace}")

    async def machine(self, namespace: str, name: str) -> Object:
        """The VM; Refusal 404 where there is none."""
        try:
            return await self._server.get(_machine(namespace, name))
        except ApiError as error:
            if error.status == 404:
                raise Refusal(404, f"there is no VirtualMachine {name} in namespace {namespace}") from error
            raise

    async def pod(self, machine: Object) -> Object | None:
        """The Pod of the VM's name, whoever made it."""
        meta = machine["metadata"]
        try:
            return await self._server.get(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}")
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def execute(self, pod: Object, command: Sequence[str]) -> Execution:
        """A program in the Pod's launcher."""
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        return Execution(await self._server.execute(path, names.LAUNCHER_CONTAINER, command))

    async def change(self, machine: Object, patch: Object) -> None:
        """A merge patch of the VM, only as it was seen: another change meanwhile is a conflict."""
        meta = machine["metadata"]
        seen = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
        body = {**patch, "metadata": {**patch.get("metadata", {}), **seen}}
        try:
            await self._server.merge(_machine(meta["namespace"], meta["name"]), body, names.GATEWAY_MANAGER)
        except ApiError as error:
            if error.status == 409:
                raise Refusal(409, f"{meta['name']} was changed at the same time: ask again") from error
            raise

    async def secret(self) -> Object:
        """Where the serving certificate is kept; it is part of the installation, and empty at first."""
        return await self._server.get(_SECRET)

    async def keep(self, secret: Object, data: dict[str, str]) -> None:
        """Write the certificate; ApiError 409 where another replica was first."""
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        await self._server.replace(_SECRET, {**secret, "data": encoded}, names.GATEWAY_MANAGER)

    async def trust(self, authority: str) -> bool:
        """Have the API server trust this authority for this API, and no other; whether that was news."""
        wanted = base64.b64encode(authority.encode()).decode()
        service = await self._server.get(_API_SERVICE)
        if service["spec"].get("caBundle") == wanted:
            return False
        await self._server.merge(_API_SERVICE, {"spec": {"caBundle": wanted}}, names.GATEWAY_MANAGER)
        return True


def _machine(namespace: str, name: str) -> str:
    return f"/apis/{names.API_VERSION}/namespaces/{namespace}/{names.MACHINES}/{name}"
