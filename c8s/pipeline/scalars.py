"""Which value a plain scalar is, by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#1032-tag-resolution)."""

from __future__ import annotations

import re

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,40}|[0-9]{1,40}(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,3})?")
_NUMBER_STARTS = frozenset("-+.0123456789")


def resolve_scalar(text: str) -> str | int | float | bool | None:
    """Return what the plain scalar `text` stands for; very long numbers, `.inf` and `.nan` stay text."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text[0] in _NUMBER_STARTS:
        if _INTEGER.fullmatch(text):
            return _read_integer(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def _read_integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text[2:] if base != 10 else text, base)
