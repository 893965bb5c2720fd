"""What a step hands to others as text: from the object store, where its pod put it, onto its Job, masked."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping

from c8s.adapters.cluster import Object
from c8s.adapters.object_store import KeyNotFound, ObjectStore, StoreError
from c8s.logs.layout import outputs_key
from c8s.logs.masking import PatternSet, mask_text
from c8s.run.labels import EXPECTS_OUTPUTS, TOO_LARGE
from c8s.web.logs import log_event
from logbuffer.pods import StepKey
from logbuffer.tools import Tools

log = logging.getLogger("c8s.logbuffer")

MAX_VALUE_BYTES = 16 * 1024
MAX_BYTES = 128 * 1024
MAX_DOCUMENT_BYTES = 8 * 1024 * 1024
"""1 MiB of values is all that is taken in; as JSON it may be longer."""


class OutputsUnreadable(Exception):
    """There are no outputs where they should be, or they are not what they should be."""


def expects_outputs(job: Object | None) -> bool:
    """Whether the step of this Job is to hand on values."""
    return job is not None and (job["metadata"].get("annotations") or {}).get(EXPECTS_OUTPUTS) == "true"


def pick_up_outputs(tools: Tools, key: StepKey, tell_problem: Callable[[StoreError], None]) -> dict[str, str]:
    """The values by name, as the pod has left them. Asks the store until it answers.

    `tell_problem` is called after every failure. Raises `OutputsUnreadable` or `Stopped`.
    """
    failures = 0
    while True:
        tools.check()
        try:
            return fetch_outputs(tools.store, outputs_key(key.namespace, key.run_uid, key.instance))
        except StoreError as error:
            failures += 1
            log_event(log, "outputs not read yet", level=logging.WARNING, error=error, reason=error.reason)
            tell_problem(error)
            tools.pause(failures)


def fetch_outputs(store: ObjectStore, key: str) -> dict[str, str]:
    """One object's values. Raises `OutputsUnreadable` and `StoreError`."""
    content = bytearray()
    try:
        for piece in store.get(key):
            content += piece
            if len(content) > MAX_DOCUMENT_BYTES:
                raise OutputsUnreadable("the outputs are too large to be read")
    except KeyNotFound as error:
        raise OutputsUnreadable("the outputs are not in the object store") from error
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise OutputsUnreadable("the outputs in the object store are damaged") from error
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        raise OutputsUnreadable("the outputs in the object store are not texts by name")
    return document


def format_outputs(values: Mapping[str, str], patterns: PatternSet) -> str:
    """The annotation: masked values as compact JSON; names of those that don't fit under `TOO_LARGE`."""
    kept: dict[str, str] = {}
    too_large: list[str] = []
    size = 0
    for name in sorted(values):
        value = mask_text(patterns, values[name].encode("utf-8", "replace"))
        entry_size = len(_format({name: value.decode("utf-8", "replace")}).encode())
        if len(value) > MAX_VALUE_BYTES or size + entry_size > MAX_BYTES:
            too_large.append(name)
        else:
            kept[name] = value.decode("utf-8", "replace")
            size += entry_size
    return _format({**kept, TOO_LARGE: too_large} if too_large else kept)


def _format(document: Mapping[str, object]) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
