"""The record of a run that has ended: what it was, and where its logs are, without any secret."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

from c8s.adapters.cluster import PIPELINE_RUNS, PODS, Object
from c8s.adapters.object_store import Checksums, checksums_of_pieces
from c8s.logs.layout import instance_of, is_log_key, log_key, log_prefix, record_key
from c8s.logs.masking import PatternSet, mask_text
from c8s.run.labels import ARCHIVED, FROZEN, RUN_UID_LABEL
from c8s.web.logs import log_event
from logbuffer.pods import StepKey, has_finalizer
from logbuffer.secret_values import SecretReference, fetch_secret_values
from logbuffer.tools import Stopped, Tools

log = logging.getLogger("c8s.logbuffer")

TERMINAL_PHASES = frozenset({"Succeeded", "Failed", "Cancelled"})
LOOK_SECONDS = 5.0
MAX_REMEMBERED = 20_000


class RunRecorder:
    """Writes the record of each ended run once all its logs are safe, then labels the run."""

    def __init__(self, tools: Tools, is_busy: Callable[[str], bool]) -> None:
        self._tools = tools
        self._is_busy = is_busy
        self._ended: dict[str, Object] = {}
        self._checksums: dict[str, Checksums] = {}
        self._secret_values: dict[str, set[bytes]] = {}
        self._lock = threading.Lock()
        self._something_new = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take(self, old: Object | None, new: Object | None) -> None:
        """Told of every change of a run that is not labelled yet."""
        if new is None:
            with self._lock:
                self._forget((old or {})["metadata"]["uid"])
        elif (new.get("status") or {}).get("phase") in TERMINAL_PHASES:
            with self._lock:
                self._ended[new["metadata"]["uid"]] = new
            self._something_new.set()

    def remember(self, key: StepKey, checksums: Checksums | None, secret_values: set[bytes]) -> None:
        """Told of every log that was archived, so that it need not be read again."""
        with self._lock:
            self._secret_values.setdefault(key.run_uid, set()).update(secret_values)
            if checksums is not None:
                self._checksums[log_key(key.namespace, key.run_uid, key.instance)] = checksums
            for remembered in (self._checksums, self._secret_values):
                while len(remembered) > MAX_REMEMBERED:
                    remembered.pop(next(iter(remembered)))

    def look_again(self) -> None:
        """A run may be ready for its record now."""
        self._something_new.set()

    def _forget(self, run_uid: str) -> None:
        self._ended.pop(run_uid, None)
        self._secret_values.pop(run_uid, None)

    def _run(self) -> None:
        while not self._tools.stop.is_set():
            self._something_new.wait(LOOK_SECONDS)
            self._something_new.clear()
            with self._lock:
                ended = list(self._ended.values())
            for run in ended:
                self._try(run)

    def _try(self, run: Object) -> None:
        """A run that can't be recorded now is tried again; the others don't wait for it."""
        try:
            self._tools.check()
            if not self._has_open_logs(run):
                self._record(run)
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 - one bad run fails alone
            log_event(
                log,
                "run not recorded",
                level=logging.WARNING,
                error=error,
                namespace=run["metadata"].get("namespace", ""),
                run=run["metadata"]["name"],
            )

    def _has_open_logs(self, run: Object) -> bool:
        uid = run["metadata"]["uid"]
        if self._is_busy(uid):
            return True
        pods = self._tools.cluster.list(
            PODS, run["metadata"].get("namespace", ""), label_selector=f"{RUN_UID_LABEL}={uid}"
        )
        return any(has_finalizer(pod) for pod in pods.items)

    def _record(self, run: Object) -> None:
        metadata = run["metadata"]
        namespace, name, uid = metadata.get("namespace", ""), metadata["name"], metadata["uid"]
        record = {"run": _without_bookkeeping(run), "logs": list(self._describe_logs(namespace, uid))}
        masked = mask_strings(self._find_patterns(run), record)
        body = json.dumps(masked, ensure_ascii=False, indent=1).encode()
        self._tools.store.put(record_key(namespace, uid), body, content_type="application/json")
        patch = {"metadata": {"labels": {ARCHIVED: "true"}}}
        self._tools.insist(
            "labelling a run", lambda: self._tools.cluster.patch(PIPELINE_RUNS, name, patch, namespace)
        )
        with self._lock:
            self._forget(uid)

    def _describe_logs(self, namespace: str, run_uid: str) -> Iterator[dict[str, Any]]:
        for item in self._tools.store.list(log_prefix(namespace, run_uid)):
            if not is_log_key(item.key):
                continue
            checksums = self._checksums.pop(item.key, None)
            if checksums is None or checksums.size_bytes != item.size_bytes:
                checksums = checksums_of_pieces(self._tools.store.get(item.key))
            yield {
                "step": instance_of(item.key),
                "key": item.key,
                "sizeBytes": checksums.size_bytes,
                "sha256": checksums.sha256,
            }

    def _find_patterns(self, run: Object) -> PatternSet:
        references = sorted(observe_run_secrets(run))
        found = fetch_secret_values(self._tools.cluster, run["metadata"].get("namespace", ""), references)
        with self._lock:
            values = found.values | self._secret_values.get(run["metadata"]["uid"], set())
        return self._tools.patterns.get(values)


def observe_run_secrets(run: Object) -> set[SecretReference]:
    """The Secrets that the run's frozen pipeline names, for its steps or for its repository.

    Anyone who may edit the run may write that annotation: one that can't be read names none.
    """
    text = (run["metadata"].get("annotations") or {}).get(FROZEN, "null")
    try:
        frozen = json.loads(text)
    except (ValueError, RecursionError):
        frozen = None
    return set(_references_in([frozen, run.get("spec")]))


def _references_in(document: Any) -> Iterator[SecretReference]:
    open_items = [document]
    while open_items:
        item = open_items.pop()
        if isinstance(item, list):
            open_items += item
        elif isinstance(item, dict):
            yield from _references_of(item)
            open_items += item.values()


def _references_of(entry: dict[str, Any]) -> Iterator[SecretReference]:
    name, key = entry.get("secretRef"), entry.get("key")
    if isinstance(name, str):
        yield SecretReference(name, key if isinstance(key, str) else "")
    repository_secret = entry.get("authSecretRef")
    if isinstance(repository_secret, dict) and isinstance(repository_secret.get("name"), str):
        yield SecretReference(repository_secret["name"])


def mask_strings(patterns: PatternSet, document: Any) -> Any:
    """The document with every text in it masked; keys, numbers and booleans stay, so it stays JSON."""
    if isinstance(document, str):
        return mask_text(patterns, document.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
    if isinstance(document, list):
        return [mask_strings(patterns, item) for item in document]
    if isinstance(document, dict):
        return {key: mask_strings(patterns, value) for key, value in document.items()}
    return document


def _without_bookkeeping(run: Object) -> Object:
    metadata = {key: value for key, value in run["metadata"].items() if key != "managedFields"}
    return {**run, "metadata": metadata}
