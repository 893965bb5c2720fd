"""What the server knows of one resource: its names, its scope, what a write to it means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`, as in a CRD's `additionalPrinterColumns`."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One served resource.

    `schema` is the structural schema of a custom resource's version, None for built-in kinds. `keeps_status`
    says that `status` may be given on creation (nodes). `decode` and `encode` turn this version's shape into
    the stored one and back; None means they are the same.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    keeps_status: bool = False
    counts_generation: bool = False
    singular: str = ""
    list_kind: str = ""
    subresources: tuple[str, ...] = ()
    selectable_fields: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    schema: Object | None = field(default=None, compare=False)
    stored_as: str = ""
    decode: Callable[[Object], Object] | None = field(default=None, compare=False)
    encode: Callable[[Object], Object] | None = field(default=None, compare=False)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource_key(self) -> str:
        """`pods`, `jobs.batch`: how messages name the resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def storage_key(self) -> str:
        """Under which key objects lie: versions of one resource share it."""
        return self.stored_as or self.resource_key

    @property
    def kind_key(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def is_custom(self) -> bool:
        return self.schema is not None


class Registry:
    """All served resources, built in and defined; every version of each."""

    def __init__(self, built_in: tuple[ResourceType, ...]) -> None:
        self._types = {_key(resource_type): resource_type for resource_type in built_in}
        self._defined: dict[str, tuple[ResourceType, ...]] = {}
        self.changes = 0

    def find(self, group: str, version: str, plural: str) -> ResourceType | None:
        return self._types.get((group, version, plural))

    def by_kind(self, api_version: str, kind: str) -> ResourceType | None:
        return next((item for item in self if item.api_version == api_version and item.kind == kind), None)

    def define(self, definition: str, resource_types: tuple[ResourceType, ...]) -> None:
        """Serve the versions of a CustomResourceDefinition of this name, in place of those served so far."""
        self.forget(definition)
        self._defined[definition] = resource_types
        self._types.update({_key(item): item for item in resource_types})

    def forget(self, definition: str) -> None:
        for resource_type in self._defined.pop(definition, ()):
            self._types.pop(_key(resource_type), None)
        self.changes += 1

    def __iter__(self) -> Iterator[ResourceType]:
        return iter(list(self._types.values()))


def _key(resource_type: ResourceType) -> tuple[str, str, str]:
    return (resource_type.group, resource_type.version, resource_type.plural)
