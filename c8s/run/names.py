"""Names that follow from what they name, so that doing a thing twice makes it once."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

STEP_NAME_CHARACTERS = 63
JOB_NAME_PART_CHARACTERS = 24
PIPELINE_NAME_CHARACTERS = 40
CACHED_NAMES = 32_768

_NOT_DNS = re.compile(r"[^a-z0-9]+")


def make_dns_safe(text: str) -> str:
    """Return `text` in lower case with every run of other characters as one `-`, none at the ends."""
    return _NOT_DNS.sub("-", text.lower()).strip("-")


def name_pipeline_label(pipeline: str) -> str:
    """Return the value of the label `c8s.dev/pipeline`, DNS-safe, empty where nothing of the name is left.

    A long name is cut, and told from others that begin alike by a hash of the whole.
    """
    name = make_dns_safe(pipeline)
    if len(name) <= PIPELINE_NAME_CHARACTERS:
        return name
    return f"{_cut(name, PIPELINE_NAME_CHARACTERS - 9)}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def name_instances(
    pairs: Sequence[tuple[str, Mapping[str, str]]],
) -> list[str]:
    """Return one name per (step, combination): `unit`, or `unit-3-11-bookworm` with a matrix.

    Names that are too long, or that two pairs would share, end in a hash of step and combination.
    """
    plain = ["-".join(filter(None, (step, *map(make_dns_safe, values.values())))) for step, values in pairs]
    uses = Counter(plain)
    return [
        name if len(name) <= STEP_NAME_CHARACTERS and uses[name] == 1 else _shorten(name, step, values)
        for name, (step, values) in zip(plain, pairs, strict=True)
    ]


@lru_cache(maxsize=CACHED_NAMES)
def name_job(run: str, run_uid: str, instance: str, attempt: int = 1) -> str:
    """Return the name of the Job of one step instance, at most 58 characters: a pod's name adds five more."""
    parts = [_cut(make_dns_safe(part), JOB_NAME_PART_CHARACTERS) for part in (run, instance)]
    return "-".join((*parts, _digest([run_uid, instance, attempt], 8)))


def _shorten(name: str, step: str, values: Mapping[str, str]) -> str:
    digest = _digest([step, list(values.items())], 8)
    return f"{_cut(name, STEP_NAME_CHARACTERS - len(digest) - 1)}-{digest}"


def _cut(text: str, characters: int) -> str:
    return text[:characters].rstrip("-")


def _digest(parts: object, characters: int) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:characters]
