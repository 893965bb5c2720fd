"""Two secrets of a step in one file, or one where another needs a folder."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_mappings, find_steps, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, step in find_steps(source):
        files: set[str] = set()
        folders: set[str] = set()
        for secret_path, secret in find_mappings(step, "secrets", path):
            for place, file in find_text(secret, "file", path=secret_path):
                needed = _list_folders(file)
                if file in files or file in folders or needed & files:
                    yield Finding(
                        place, f"the file {quote(file)} is in the way of another", "rename one of them"
                    )
                files.add(file)
                folders |= needed


def _list_folders(file: str) -> set[str]:
    """Return the folders that `file` lies in; no more than its longest allowed path can have."""
    parts = file[:256].split("/")
    return {"/".join(parts[:depth]) for depth in range(1, len(parts))}
