"""Read a kustomization without `kubectl`: what `kubectl kustomize` prints for the manifests that c8s ships.

Only `resources` is known, files and folders. Any other field is refused, so that what the local cluster is
given can't differ in silence from what a real one is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

KUSTOMIZATION = "kustomization.yaml"
KNOWN_FIELDS = frozenset({"apiVersion", "kind", "resources"})
KINDS = frozenset({"Kustomization", "Component"})


class UnknownKustomization(Exception):
    """A kustomization says something that this loader does not understand; `kubectl` may."""


def load_kustomization(path: Path) -> list[dict[str, Any]]:
    """The objects of the kustomization in the folder `path`, in the order in which it names them.

    Raises `UnknownKustomization`, and `OSError` where a file is not there.
    """
    return list(_load_folder(path))


def _load_folder(folder: Path) -> Iterator[dict[str, Any]]:
    file = folder / KUSTOMIZATION
    document = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    if not isinstance(document, dict) or document.get("kind") not in KINDS:
        raise UnknownKustomization(f"{file} is no Kustomization")
    unknown = sorted(document.keys() - KNOWN_FIELDS)
    if unknown:
        raise UnknownKustomization(f"{file} has fields that are not understood here: {', '.join(unknown)}")
    for resource in document.get("resources") or []:
        place = folder / resource
        yield from _load_folder(place) if place.is_dir() else _load_file(place)


def _load_file(file: Path) -> Iterator[dict[str, Any]]:
    for document in yaml.load_all(file.read_text(encoding="utf-8"), yaml.CSafeLoader):
        if document is not None:
            yield document
