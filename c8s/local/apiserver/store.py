"""The Kubernetes API without a network: verbs on objects, with all that a write means.

Synchronous and thread-safe. It does no I/O but through the persistence it is given, reads no clock but the
one it is given, and makes UIDs by the function it is given, so a search in virtual time can run on it.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from c8s.local.apiserver import admission, apply, metadata
from c8s.local.apiserver.builtin_kinds import BUILT_IN
from c8s.local.apiserver.definitions import read_definition
from c8s.local.apiserver.errors import (
    already_exists,
    bad_request,
    expired,
    no_such_path,
    not_found,
)
from c8s.local.apiserver.eviction import mark_disrupted
from c8s.local.apiserver.namespace_rules import NamespaceRules
from c8s.local.apiserver.object_table import Key, ObjectTable, Persistence
from c8s.local.apiserver.options import DeleteOptions, ListOptions, WriteOptions
from c8s.local.apiserver.paging import Page, make_continue_token, read_continue_token
from c8s.local.apiserver.patches import APPLY_PATCH
from c8s.local.apiserver.patching import patched
from c8s.local.apiserver.pod_usage import has_ended
from c8s.local.apiserver.removal import CRDS, Removal, check_preconditions, default_propagation
from c8s.local.apiserver.resource_types import Registry, ResourceType
from c8s.local.apiserver.selectors import Selection, parse_field_selector, parse_label_selector
from c8s.local.apiserver.subscriptions import Change, Stored, Subscription
from c8s.local.apiserver.updated_fields import updated_fields

Object = dict[str, Any]

HISTORY_LIMIT = 20_000
EVENT_LIFETIME_SECONDS = 3600


class Store:
    """All objects of a cluster. Methods raise `ApiError`.

    Bodies are in the shape of the resource type's own version, results in the stored one: `served` turns that
    into the version's.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        new_uid: Callable[[], str],
        persistence: Persistence | None = None,
        history_limit: int = HISTORY_LIMIT,
    ) -> None:
        self.registry = Registry(BUILT_IN)
        self.clock = clock
        self._new_uid = new_uid
        self._lock = threading.RLock()
        self._table = ObjectTable(persistence, history_limit)
        self._table.on_change = self._on_change
        self._rules = NamespaceRules(self._table)
        self._removal = Removal(self._table, clock)
        self._table.load()

    @property
    def version(self) -> int:
        """The version of the last write, of any object."""
        return self._table.version

    # Reading

    def get(self, resource_type: ResourceType, name: str, namespace: str = "") -> Stored:
        stored = self._table.get(Key(resource_type.storage_key, namespace, name))
        if stored is None:
            raise not_found(resource_type, name)
        return stored

    def peek(self, key: Key) -> Object | None:
        """The stored object of a key, not to be changed; None when there is none."""
        found = self._table.get(key)
        return found.object if found else None

    def list(
        self, resource_type: ResourceType, namespace: str = "", options: ListOptions | None = None
    ) -> Page:
        """Objects in the order of namespace and name; a page of `limit` when that is set."""
        options = options or ListOptions()
        selection = self.selection(resource_type, namespace, options.label_selector, options.field_selector)
        with self._lock:
            version, start = self._table.version, None
            if options.continue_token:
                version, start = read_continue_token(options.continue_token)
            found = [
                (key, stored)
                for key, stored in self._table.select(resource_type.storage_key, selection)
                if start is None or (key.namespace, key.name) > start
            ]
        if not options.limit or len(found) <= options.limit:
            return Page([stored for _, stored in found], version)
        page, last = found[: options.limit], found[options.limit - 1][0]
        remaining = len(found) - options.limit if selection.is_everything else 0
        return Page([stored for _, stored in page], version, make_continue_token(version, last), remaining)

    def watch(self, resource_type: ResourceType, selection: Selection, since: int | None) -> Subscription:
        """Changes after version `since` (None = from now on). A 410 when that is too old."""
        with self._lock:
            if since is not None and since > self._table.version:
                raise expired(since, self._table.version)
            return self._table.subscribe(resource_type.storage_key, selection, since)

    def list_and_watch(self, resource_type: ResourceType, selection: Selection) -> tuple[Page, Subscription]:
        """What is there, and every change from then on, without a gap."""
        with self._lock:
            found = [stored for _, stored in self._table.select(resource_type.storage_key, selection)]
            subscription = self._table.subscribe(resource_type.storage_key, selection, None)
            return Page(found, self._table.version), subscription

    def selection(
        self,
        resource_type: ResourceType,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> Selection:
        """Parsed selectors; a 400 when one can't be read."""
        fields = parse_field_selector(field_selector, resource_type.selectable_fields)
        return Selection(namespace, parse_label_selector(label_selector), fields)

    # Writing

    def create(
        self,
        resource_type: ResourceType,
        body: Object,
        namespace: str = "",
        options: WriteOptions | None = None,
    ) -> Stored:
        options = options or WriteOptions()
        with self._writing():
            return self._create(resource_type, body, namespace, options)

    def replace(
        self,
        resource_type: ResourceType,
        name: str,
        body: Object,
        namespace: str = "",
        *,
        subresource: str = "",
        options: WriteOptions | None = None,
    ) -> Stored:
        """PUT: the body's resourceVersion, when given, must be the current one."""
        with self._writing():
            _check_subresource(resource_type, subresource)
            current = self.get(resource_type, name, namespace)
            given = admission.read_body(resource_type, body)
            if resource_type.is_custom and not given["metadata"].get("resourceVersion"):
                raise admission.missing_version(resource_type, name)
            return self._update(resource_type, current, given, subresource, options or WriteOptions())

    def patch(
        self,
        resource_type: ResourceType,
        name: str,
        patch: Any,
        content_type: str,
        namespace: str = "",
        *,
        subresource: str = "",
        options: WriteOptions | None = None,
    ) -> Stored:
        """Merge, JSON, strategic or apply patch, by content type; apply creates what isn't there."""
        options = options or WriteOptions()
        with self._writing():
            _check_subresource(resource_type, subresource)
            if content_type == APPLY_PATCH:
                return self._apply(resource_type, name, patch, namespace, subresource, options)
            current = self.get(resource_type, name, namespace)
            changed = patched(resource_type, self.served(resource_type, current), patch, content_type)
            given = admission.read_body(resource_type, changed)
            return self._update(resource_type, current, given, subresource, options)

    def delete(
        self,
        resource_type: ResourceType,
        name: str,
        namespace: str = "",
        options: DeleteOptions | None = None,
    ) -> Stored:
        """Delete, or mark as going while finalizers or a pod's grace period hold it.

        Returns the last state.
        """
        options = options or DeleteOptions()
        with self._writing():
            stored = self.get(resource_type, name, namespace)
            check_preconditions(resource_type, stored.object["metadata"], options)
            if options.dry_run:
                return stored
            propagation = options.propagation or default_propagation(resource_type)
            key = Key(resource_type.storage_key, namespace, name)
            return self._removal.delete(key, propagation, options.grace_period_seconds)

    def evict(self, name: str, namespace: str, options: DeleteOptions) -> None:
        """Mark a pod as disrupted, and delete it; a pod that has ended is only deleted."""
        pods = self.registry.find("", "v1", "pods")
        assert pods is not None
        with self._writing():
            pod = self.get(pods, name, namespace).object
            check_preconditions(pods, pod["metadata"], options)
            if not options.dry_run and not has_ended(pod):
                key = Key(pods.storage_key, namespace, name)
                self._table.put(key, mark_disrupted(pod, metadata.format_time(self.clock())))
            self.delete(pods, name, namespace, replace(options, resource_version=""))

    def delete_collection(
        self, resource_type: ResourceType, namespace: str, selected: ListOptions, options: DeleteOptions
    ) -> Sequence[Stored]:
        """Delete everything a list with these options gives."""
        with self._writing():
            return [
                self.delete(
                    resource_type,
                    stored.object["metadata"]["name"],
                    stored.object["metadata"].get("namespace", ""),
                    options,
                )
                for stored in self.list(resource_type, namespace, selected).items
            ]

    def finalize_namespace(self, resource_type: ResourceType, name: str, body: Object) -> Stored:
        """PUT on `/finalize`: the namespace's own finalizers; without any, a namespace that is going
        is gone."""
        with self._writing():
            current = self.get(resource_type, name)
            finalizers = (body.get("spec") or {}).get("finalizers") or []
            item = {**current.object, "spec": {**current.object.get("spec", {}), "finalizers": finalizers}}
            key = Key(resource_type.storage_key, "", name)
            stored = current if item == current.object else self._table.put(key, item)
            self._removal.settle(key)
            return self._table.get(key) or stored

    def remove_old_events(self) -> int:
        """Delete Events that nobody has written to for an hour; how many. The server calls it now and
        then."""
        oldest = metadata.format_time(
            datetime.fromtimestamp(self.clock().timestamp() - EVENT_LIFETIME_SECONDS, self.clock().tzinfo)
        )
        with self._writing():
            old = [
                key for key, stored in list(self._table.scan("events")) if _last_seen(stored.object) < oldest
            ]
            for key in old:
                self._removal.delete(key, "Background")
            return len(old)

    def served(self, resource_type: ResourceType, stored: Stored) -> Object:
        """A copy in the shape of the resource type's own version, the caller's to change."""
        copied = stored.copy()
        return resource_type.encode(copied) if resource_type.encode else copied

    # Inside the lock

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            finally:
                self._rules.quotas.settle()
                self._table.save()

    def _create(
        self, resource_type: ResourceType, body: Object, namespace: str, options: WriteOptions
    ) -> Stored:
        given = admission.read_body(resource_type, body)
        shown_name = given["metadata"].get("name") or given["metadata"].get("generateName") or ""
        name = metadata.chosen_name(given, self._new_uid)
        if not name:
            raise admission.missing_name(resource_type)
        key = Key(resource_type.storage_key, namespace, name)
        self._require_namespace(resource_type, namespace, name)
        if self._table.get(key) is not None:
            raise already_exists(resource_type, name)
        now = metadata.format_time(self.clock())
        given["metadata"] = metadata.new_metadata(
            given["metadata"], name, namespace, self._new_uid(), now, counts=resource_type.counts_generation
        )
        item = admission.admit_new(resource_type, given, options)
        self._rules.admit_new(resource_type, item, shown_name)
        metadata.note_manager(item, options.manager, "Update", "", now, {})
        return self._put_new(key, item, options)

    def _put_new(self, key: Key, item: Object, options: WriteOptions) -> Stored:
        if options.dry_run:
            return Stored(item, 0)
        stored = self._table.put(key, item)
        if key.storage_key == "namespaces":
            self._create_default_account(key.name)
        if item["metadata"].get("ownerReferences"):
            self._removal.settle(key)
        return self._table.get(key) or stored

    def _update(
        self,
        resource_type: ResourceType,
        current: Stored,
        given: Object,
        subresource: str,
        options: WriteOptions,
        applied_fields: Object | None = None,
    ) -> Stored:
        old = current.object
        given["metadata"] = metadata.updated_metadata(resource_type, old["metadata"], given["metadata"])
        item = admission.admit_change(resource_type, given, old, subresource, options)
        if item == old and applied_fields is None:
            return current
        if resource_type.counts_generation and admission.spec_of(item) != admission.spec_of(old):
            item["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        now = metadata.format_time(self.clock())
        fields, operation = applied_fields, "Apply"
        if fields is None:
            fields, operation = updated_fields(old, item, options.manager, subresource), "Update"
        metadata.note_manager(item, options.manager, operation, subresource, now, fields)
        if apply.without_times(item) == apply.without_times(old):
            return current
        if options.dry_run:
            return Stored(item, current.version)
        key = Key(resource_type.storage_key, old["metadata"].get("namespace", ""), old["metadata"]["name"])
        stored = self._table.put(key, item)
        if "deletionTimestamp" in item["metadata"] or item["metadata"].get("ownerReferences"):
            self._removal.settle(key)
        return self._table.get(key) or stored

    def _apply(
        self,
        resource_type: ResourceType,
        name: str,
        patch: Any,
        namespace: str,
        subresource: str,
        options: WriteOptions,
    ) -> Stored:
        apply.check_applied(resource_type, name, patch)
        current = self._table.get(Key(resource_type.storage_key, namespace, name))
        if current is None and subresource:
            raise not_found(resource_type, name)
        if current is None:
            body = copy.deepcopy({**patch, "metadata": {**patch["metadata"], "name": name}})
            stored = self._create(resource_type, body, namespace, options)
            if options.dry_run:
                return stored
            current = stored
        live = self.served(resource_type, current)
        merged, fields = apply.apply_configuration(resource_type, live, patch, options, subresource)
        given = admission.read_body(resource_type, merged)
        return self._update(resource_type, current, given, subresource, options, fields)

    def _require_namespace(self, resource_type: ResourceType, namespace: str, name: str) -> None:
        if not resource_type.namespaced:
            return
        if not namespace:
            raise bad_request("an empty namespace may not be set during creation")
        found = self._table.get(Key("namespaces", "", namespace))
        namespaces = self.registry.find("", "v1", "namespaces")
        assert namespaces is not None
        what = f'{resource_type.resource_key} "{name}"'
        metadata.require_active(
            namespace, found.object if found else None, what, not_found(namespaces, namespace)
        )

    def _create_default_account(self, namespace: str) -> None:
        accounts = self.registry.find("", "v1", "serviceaccounts")
        assert accounts is not None
        self._create(
            accounts, {"metadata": {"name": "default"}}, namespace, WriteOptions("serviceaccount-controller")
        )

    def _on_change(self, key: Key, change: Change) -> None:
        self._rules.quotas.note_change(key)
        if key.storage_key != CRDS:
            return
        if change.type == "DELETED":
            self.registry.forget(key.name)
        elif change.before is None or change.before.object["spec"] != change.after.object["spec"]:
            self.registry.define(key.name, read_definition(change.after.object))


def _check_subresource(resource_type: ResourceType, subresource: str) -> None:
    if subresource and not (subresource == "status" and resource_type.has_status):
        raise no_such_path()


def _last_seen(event: Object) -> str:
    times = [event.get("lastTimestamp"), event.get("eventTime"), event["metadata"]["creationTimestamp"]]
    return max(str(time) for time in times if time)
