"""A small custom resource for tests."""

from __future__ import annotations

from typing import Any

from c8s.adapters.cluster import Resource

WIDGETS = Resource("example.dev", "v1", "widgets", "Widget")


def widget_definition() -> dict[str, Any]:
    spec = {
        "type": "object",
        "description": "What the widget is like.",
        "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1, "description": "How large it is."},
            "color": {"type": "string", "default": "red", "enum": ["red", "blue"]},
            "code": {"type": "string", "pattern": "^[a-z]+$"},
            "parts": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
                },
            },
        },
        "x-kubernetes-validations": [{"rule": "self.size == oldSelf.size", "message": "size is fixed"}],
    }
    status = {"type": "object", "properties": {"phase": {"type": "string"}, "seen": {"type": "integer"}}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        ],
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}},
    }
    names = {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"], "categories": ["all"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.dev"},
        "spec": {"group": "example.dev", "scope": "Namespaced", "names": names, "versions": [version]},
    }


def widget(name: str = "one", **spec: Any) -> dict[str, Any]:
    spec = {"size": 1, **spec}
    return {"apiVersion": "example.dev/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def job(name: str = "build", **spec: Any) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "step", "image": "busybox:1"}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {**spec, "template": {"spec": pod}},
    }


def pod(name: str = "pod", **spec: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "step", "image": "busybox:1"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def owned_by(owner: dict[str, Any], item: dict[str, Any], *, blocks: bool = True) -> dict[str, Any]:
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": blocks,
    }
    return {**item, "metadata": {**item["metadata"], "ownerReferences": [reference]}}
