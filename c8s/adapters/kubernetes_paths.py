"""Where an object lives in the Kubernetes API."""

from __future__ import annotations

from urllib.parse import quote

from c8s.adapters.cluster import Invalid, Resource


def build_path(
    resource: Resource, namespace: str = "", name: str | None = None, subresource: str = ""
) -> str:
    root = f"/apis/{resource.group}" if resource.group else "/api"
    path = f"{root}/{resource.version}"
    if resource.namespaced and namespace:
        path += f"/namespaces/{path_segment(namespace)}"
    path += f"/{resource.plural}"
    if name is not None:
        path += f"/{path_segment(name)}"
    return f"{path}/{subresource}" if subresource else path


def path_segment(name: str) -> str:
    """One part of a path. An empty one or dots would name another resource: a collection, or its parent."""
    if name in ("", ".", ".."):
        raise Invalid(f"{name!r} is not a name", status=400)
    return quote(name, safe="")
