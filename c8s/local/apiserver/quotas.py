"""ResourceQuotas: what a namespace may use, refused when an object is made, counted in the quota's status.

Sources: Kubernetes pkg/quota/v1 and k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from c8s.local.apiserver.errors import Cause, forbidden
from c8s.local.apiserver.object_table import Key, ObjectTable
from c8s.local.apiserver.pod_usage import (
    Amounts,
    add_amounts,
    container_amounts,
    list_containers,
    pod_usage,
    quota_names,
)
from c8s.local.quantities import Quantity, read_quantity

Object = dict[str, Any]

QUOTAS = "resourcequotas"
MUST_BE_SAID = {f"{part}{name}" for part in ("", "requests.", "limits.") for name in ("cpu", "memory")}
"""Resources every container has to ask for where a quota bounds them."""

PLAIN_NAMES = (
    "configmaps",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
)
ONE = Quantity(Decimal(1))


class Quotas:
    """The quotas of a store's namespaces. Not thread-safe by itself: the store holds a lock."""

    def __init__(self, table: ObjectTable) -> None:
        self._table = table
        self._stale: set[str] = set()

    def admit(self, storage_key: str, item: Object, shown_name: str) -> None:
        """Raises a 403 for a new object that its namespace has no room for."""
        namespace = item["metadata"].get("namespace", "")
        if not namespace:
            return
        for key, stored in self._table.scan(QUOTAS, namespace):
            hard = _read_amounts((stored.object.get("spec") or {}).get("hard"))
            problem = _explain_silence(storage_key, item, hard)
            if problem:
                raise _refused(storage_key, shown_name, f"failed quota: {key.name}: {problem}")
            used = self._used(namespace, hard)
            if problem := explain_excess(usage_of(storage_key, item), used, hard):
                raise _refused(storage_key, shown_name, f"exceeded quota: {key.name}, {problem}")

    def note_change(self, key: Key) -> None:
        """An object was written or removed: quotas of its namespace are to be counted anew."""
        if key.namespace and self._table.has_any(QUOTAS, key.namespace):
            self._stale.add(key.namespace)

    def settle(self) -> None:
        """Writes the status of quotas whose numbers have changed."""
        while self._stale:
            namespace = self._stale.pop()
            for key, stored in list(self._table.scan(QUOTAS, namespace)):
                self._count(key, stored.object)
            self._stale.discard(namespace)

    def _count(self, key: Key, quota: Object) -> None:
        hard = dict((quota.get("spec") or {}).get("hard") or {})
        used = self._used(key.namespace, _read_amounts(hard))
        status = {"hard": hard, "used": {name: str(amount) for name, amount in sorted(used.items())}}
        if quota.get("status") != status:
            self._table.put(key, {**quota, "status": status})

    def _used(self, namespace: str, hard: Amounts) -> Amounts:
        """What is used now of every resource the quota bounds."""
        used = dict.fromkeys(hard, Quantity())
        for storage_key in _counted_resources(hard):
            for _, stored in self._table.scan(storage_key, namespace):
                usage = usage_of(storage_key, stored.object)
                used = add_amounts(used, {name: usage[name] for name in usage if name in hard})
        return used


def usage_of(storage_key: str, item: Object) -> Amounts:
    """What an object uses, by the names of a quota's `hard`."""
    if storage_key == "pods":
        return pod_usage(item)
    usage = {f"count/{storage_key}": ONE}
    if storage_key in PLAIN_NAMES:
        usage[storage_key] = ONE
    if storage_key == "persistentvolumeclaims":
        requests = ((item.get("spec") or {}).get("resources") or {}).get("requests") or {}
        usage["requests.storage"] = read_quantity(requests.get("storage", 0))
    return usage


def explain_excess(usage: Amounts, used: Amounts, hard: Amounts) -> str:
    """`requested: …, used: …, limited: …` of what would be too much; "" when all fits."""
    asked = {name: amount for name, amount in usage.items() if name in hard and amount.amount > 0}
    over = [name for name in sorted(asked) if (used[name] + asked[name]).amount > hard[name].amount]
    if not over:
        return ""
    return ", ".join(
        f"{word}: {','.join(f'{name}={amounts[name]}' for name in over)}"
        for word, amounts in (("requested", asked), ("used", used), ("limited", hard))
    )


def find_unsupported(quota: Object) -> list[Cause]:
    """What a ResourceQuota asks for that this server does not do, and amounts that are none."""
    spec = quota.get("spec") or {}
    message = "Unsupported value: scopes are not supported by this server"
    causes = [
        Cause(f"spec.{field}", message, "FieldValueNotSupported")
        for field in ("scopes", "scopeSelector")
        if spec.get(field)
    ]
    for name, text in (spec.get("hard") or {}).items():
        try:
            read_quantity(text)
        except ValueError as error:
            causes.append(Cause(f"spec.hard[{name}]", f"Invalid value: {error}"))
    return causes


def _explain_silence(storage_key: str, item: Object, hard: Amounts) -> str:
    """Which containers of a pod do not say what a quota makes everybody say; "" when all do."""
    wanted = MUST_BE_SAID & set(hard)
    if storage_key != "pods" or not wanted:
        return ""
    silent: dict[str, set[str]] = {}
    for container in list_containers(item["spec"]):
        said = quota_names(container_amounts(container, "requests"), container_amounts(container, "limits"))
        for name in wanted - set(said):
            silent.setdefault(name, set()).add(container["name"])
    texts = [f"{name} for: {','.join(sorted(silent[name]))}" for name in sorted(silent)]
    return f"must specify {'; '.join(texts)}" if texts else ""


def _counted_resources(hard: Iterable[str]) -> set[str]:
    """Storage keys of the objects that these names count."""
    found = set()
    for name in hard:
        if name.startswith("count/"):
            found.add(name.removeprefix("count/"))
        elif name == "requests.storage":
            found.add("persistentvolumeclaims")
        else:
            found.add(name if name in PLAIN_NAMES else "pods")
    return found


def _read_amounts(texts: Object | None) -> Amounts:
    return {name: read_quantity(text) for name, text in (texts or {}).items()}


def _refused(storage_key: str, name: str, why: str) -> Exception:
    return forbidden(f'{storage_key} "{name}" is forbidden: {why}', {"name": name, "kind": storage_key})
