"""The character U+0000, which no environment variable and no command can hold."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_all_texts
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, text in find_all_texts(source):
        if "\0" in text:
            yield Finding(path, "the text holds the character U+0000", "take it out")
