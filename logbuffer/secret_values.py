"""The values of the secrets a pod may see, and the patterns to mask them by."""

from __future__ import annotations

import base64
import binascii
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from c8s.adapters.cluster import SECRETS, Cluster, Forbidden, NotFound, Object
from c8s.logs.encodings import is_maskable
from c8s.logs.masking import PatternSet, patterns_for
from c8s.web.logs import log_event

log = logging.getLogger("c8s.logbuffer")

MAX_CACHED_SETS = 256
# The name of an account, in a Secret of type kubernetes.io/basic-auth; a short one is nothing to warn of.
_NAMES_OF_ACCOUNTS = frozenset({"username"})


@dataclass(frozen=True, slots=True, order=True)
class SecretReference:
    """One key of a Secret, or all of them when `key` is empty."""

    name: str
    key: str = ""


@dataclass(slots=True)
class SecretValues:
    """What was found; `problems` are sentences for whoever reads the log, without any value."""

    values: set[bytes] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def observe_secret_references(pod: Object) -> list[SecretReference]:
    """Every Secret that the pod's containers get as variables or files."""
    spec = pod.get("spec") or {}
    return sorted({*_references_in_containers(spec), *_references_in_volumes(spec)})


def _references_in_containers(spec: Object) -> Iterator[SecretReference]:
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            for variable in container.get("env") or ():
                reference = (variable.get("valueFrom") or {}).get("secretKeyRef") or {}
                yield from _reference(reference.get("name"), reference.get("key"))
            for source in container.get("envFrom") or ():
                yield from _reference((source.get("secretRef") or {}).get("name"))


def _references_in_volumes(spec: Object) -> Iterator[SecretReference]:
    for volume in spec.get("volumes") or ():
        yield from _references_in_source(volume.get("secret") or {}, "secretName")
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield from _references_in_source(source.get("secret") or {}, "name")


def _references_in_source(source: Object, name_field: str) -> Iterator[SecretReference]:
    items = source.get("items")
    for key in [item.get("key") for item in items] if items else [""]:
        yield from _reference(source.get(name_field), key)


def _reference(name: str | None, key: str | None = "") -> Iterator[SecretReference]:
    if name:
        yield SecretReference(name, key or "")


def fetch_secret_values(
    cluster: Cluster, namespace: str, references: Iterable[SecretReference]
) -> SecretValues:
    """Reads the Secrets by name. One that is missing or forbidden is a problem, told and passed over.

    Raises the `ClusterError` of an API that does not answer: then nothing may be shown.
    """
    found = SecretValues()
    keys_by_name: dict[str, set[str]] = {}
    for reference in references:
        keys_by_name.setdefault(reference.name, set()).add(reference.key)
    for name, keys in keys_by_name.items():
        try:
            secret = cluster.get(SECRETS, name, namespace)
        except (NotFound, Forbidden) as error:
            log_event(log, "secret not masked", level=logging.WARNING, error=error, namespace=namespace)
            found.problems.append(f"the Secret {name} can't be read, its values are not masked")
            continue
        for key, value in _decode(secret).items():
            if key in keys or "" in keys:
                _take(found, name, key, value)
    return found


def _decode(secret: Object) -> dict[str, bytes]:
    decoded = {}
    for key, text in (secret.get("data") or {}).items():
        try:
            decoded[key] = base64.b64decode(text or "", validate=True)
        except (binascii.Error, ValueError):
            decoded[key] = str(text).encode()
    return decoded


def _take(found: SecretValues, name: str, key: str, value: bytes) -> None:
    if is_maskable(value):
        found.values.add(value)
    elif value.strip() and key not in _NAMES_OF_ACCOUNTS:
        found.problems.append(
            f"{key} of the Secret {name} is too short to be masked: use 4 characters or more"
        )


class PatternCache:
    """Pattern sets by the values they are for: steps of one run mostly see the same secrets."""

    def __init__(self) -> None:
        self._sets: OrderedDict[frozenset[bytes], PatternSet] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, values: Iterable[bytes]) -> PatternSet:
        key = frozenset(values)
        with self._lock:
            found = self._sets.get(key)
            if found is None:
                found = self._sets[key] = patterns_for(key)
                if len(self._sets) > MAX_CACHED_SETS:
                    self._sets.popitem(last=False)
            self._sets.move_to_end(key)
            return found


class PodSecrets:
    """The secrets of one pod while it runs; its containers' threads share it.

    A value once seen is masked to the end, even if it changes.
    """

    def __init__(self, cluster: Cluster, pod: Object, cache: PatternCache) -> None:
        self._cluster = cluster
        self._namespace = pod["metadata"].get("namespace", "")
        self._references = observe_secret_references(pod)
        self._cache = cache
        self._lock = threading.Lock()
        self.values: set[bytes] = set()
        self.problems: list[str] = []
        self.patterns = cache.get(())
        self.is_loaded = not self._references

    def load(self) -> None:
        """Reads all values anew. Raises the `ClusterError` of an API that does not answer."""
        if not self._references:
            return
        found = fetch_secret_values(self._cluster, self._namespace, self._references)
        with self._lock:
            self.values |= found.values
            self.problems = found.problems
            self.patterns = self._cache.get(self.values)
            self.is_loaded = True
