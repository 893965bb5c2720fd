"""A simulated cluster with a custom kind `Thing`, a controller for it, and a hook that answers what a
test wants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from c8s.adapters.cluster import (
    COMPOSITE_CONTROLLERS,
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DECORATOR_CONTROLLERS,
    EVENTS,
    NotFound,
    Object,
    Resource,
)
from c8s.local.metacontroller.hook_calls import DirectHooks
from c8s.local.simulated_cluster import SimulatedCluster

THINGS = Resource("example.com", "v1", "things", "Thing")
REALMS = Resource("example.com", "v1", "realms", "Realm", namespaced=False)
Answer = Object | Callable[[Object], Any] | None


class ToyWorld:
    """`answers` is what each hook answers, by name: an object, or a function of the request. `requests`
    are those made.
    """

    def __init__(self, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = {"sync": {"status": {}, "children": []}} | answers
        self.requests: dict[str, list[Object]] = {"sync": [], "finalize": [], "customize": []}
        self._touches = 0
        hooks = {f"/{name}": self._hook(name) for name in self.requests}
        self.simulated = SimulatedCluster(DirectHooks(hooks))
        self.cluster = self.simulated.cluster
        for resource in (THINGS, REALMS):
            self.cluster.create(CUSTOM_RESOURCE_DEFINITIONS, build_definition(resource))

    def control(self, *hooks: str, **changes: Any) -> Object:
        """Applies a CompositeController for Things with ConfigMaps as children; `changes` go into its
        spec.
        """
        spec = {
            "generateSelector": True,
            "parentResource": {"apiVersion": "example.com/v1", "resource": "things"},
            "childResources": [child_rule("v1", "configmaps", "InPlace")],
            "hooks": {name: build_hook(name) for name in hooks or ("sync",)},
        }
        body = {"metadata": {"name": "toy"}, "spec": spec | changes}
        return self.cluster.create(COMPOSITE_CONTROLLERS, with_kind(COMPOSITE_CONTROLLERS, body))

    def decorate(self, *hooks: str, resource: Object | None = None, **changes: Any) -> Object:
        spec = {
            "resources": [{"apiVersion": "example.com/v1", "resource": "things"} | (resource or {})],
            "hooks": {name: build_hook(name) for name in hooks or ("sync",)},
        }
        body = {"metadata": {"name": "toy"}, "spec": spec | changes}
        return self.cluster.create(DECORATOR_CONTROLLERS, with_kind(DECORATOR_CONTROLLERS, body))

    def make_thing(self, name: str = "a", spec: Object | None = None, **metadata: Any) -> Object:
        body = {"metadata": {"name": name, "namespace": "default"} | metadata, "spec": spec or {"size": 1}}
        return self.cluster.create(THINGS, with_kind(THINGS, body), "default")

    def make_config_map(self, name: str, namespace: str = "default", **metadata: Any) -> Object:
        body = {"metadata": {"name": name, "namespace": namespace} | metadata, "data": {"from": "outside"}}
        return self.cluster.create(CONFIG_MAPS, with_kind(CONFIG_MAPS, body), namespace)

    def settle(self) -> None:
        self.simulated.simulation.settle()

    def run_for(self, seconds: float) -> None:
        self.simulated.simulation.run_for(seconds)

    def thing(self, name: str = "a") -> Object | None:
        return self.find(THINGS, name)

    def find(self, resource: Resource, name: str, namespace: str = "default") -> Object | None:
        try:
            return self.cluster.get(resource, name, namespace)
        except NotFound:
            return None

    def names(self, resource: Resource) -> list[str]:
        return sorted(item["metadata"]["name"] for item in self.cluster.list(resource, "default").items)

    def touch(self, name: str = "a") -> None:
        """Asks for a sync: changes a label of the thing."""
        self._touches += 1
        patch = {"metadata": {"labels": {"touched": str(self._touches)}}}
        self.cluster.patch(THINGS, name, patch, "default")
        self.settle()

    def writes(self) -> dict[str, int]:
        """Metacontroller's writes so far, without events."""
        writes = self.simulated.metacontroller.cluster.writes
        return {call: count for call, count in writes.items() if "events" not in call}

    def messages(self) -> list[str]:
        return [event["message"] for event in self.cluster.list(EVENTS).items]

    def _hook(self, name: str) -> Callable[[Object], Any]:
        def answer(request: Object) -> Any:
            self.requests[name].append(request)
            wanted = self.answers[name]
            return wanted(request) if callable(wanted) else wanted

        return answer


def build_hook(name: str, version: str = "v2") -> Object:
    return {"version": version, "webhook": {"url": f"http://hooks.toys/{name}"}}


def child_rule(api_version: str, plural: str, method: str = "OnDelete") -> Object:
    return {"apiVersion": api_version, "resource": plural, "updateStrategy": {"method": method}}


def config_map(name: str, data: dict[str, str] | None = None, **metadata: Any) -> Object:
    """A ConfigMap as a hook wants it."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name} | metadata,
        "data": data or {"x": "1"},
    }


def job(name: str) -> Object:
    """A Job as a hook wants it, whose pod runs until it is deleted."""
    container = {"name": "step", "image": "alpine", "command": ["sleep", "1000"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": template},
    }


def with_kind(resource: Resource, body: Object) -> Object:
    return {"apiVersion": resource.api_version, "kind": resource.kind} | body


def build_definition(resource: Resource) -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": resource.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": schema, "status": schema}}},
        "subresources": {"status": {}},
    }
    names = {"plural": resource.plural, "singular": resource.kind.lower(), "kind": resource.kind}
    return with_kind(
        CUSTOM_RESOURCE_DEFINITIONS,
        {
            "metadata": {"name": f"{resource.plural}.{resource.group}"},
            "spec": {
                "group": resource.group,
                "names": names,
                "scope": "Namespaced" if resource.namespaced else "Cluster",
                "versions": [version],
            },
        },
    )
