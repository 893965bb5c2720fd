"""ServiceAccount tokens for pods, from the API's TokenRequest."""

from __future__ import annotations

from dataclasses import dataclass

from c8s.adapters.cluster import Cluster, Object, Resource


@dataclass(frozen=True, slots=True)
class TokenRequests:
    """https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/"""

    cluster: Cluster

    def request_token(self, pod: Object, audience: str, expiration_seconds: int) -> str:
        """A token that dies with the pod. Raises ClusterError."""
        account = pod["spec"].get("serviceAccountName") or "default"
        resource = Resource("", "v1", f"serviceaccounts/{account}/token", "TokenRequest")
        metadata = pod["metadata"]
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [audience] if audience else [],
                "expirationSeconds": expiration_seconds,
                "boundObjectRef": {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                },
            },
        }
        return str(self.cluster.create(resource, request, metadata["namespace"])["status"]["token"])
