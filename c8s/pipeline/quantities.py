"""Amounts of CPU, memory and storage, a subset of Kubernetes' quantities.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re

_CPU = re.compile(r"([0-9]{1,9})m|([0-9]{1,6})(?:\.([0-9]{1,3}))?")
_MEMORY = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,3}))?(Ki|Mi|Gi|Ti|k|M|G|T)?")
_UNIT_BYTES = {
    "k": 1000,
    "M": 1000**2,
    "G": 1000**3,
    "T": 1000**4,
    "Ki": 1024,
    "Mi": 1024**2,
    "Gi": 1024**3,
    "Ti": 1024**4,
}


def parse_cpu(text: str) -> int:
    """Return the millicores in `500m`, `2` or `0.5`. Raises ValueError where `text` is no such amount."""
    match = _CPU.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:80]!r} is not an amount of CPU")
    millicores, cores, fraction = match.groups()
    return int(millicores) if millicores else int(cores) * 1000 + int((fraction or "0").ljust(3, "0"))


def parse_memory(text: str) -> int:
    """Return the bytes in `1Gi`, `512Mi`, `1.5G` or a bare number, rounded up. Raises ValueError."""
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:80]!r} is not an amount of memory")
    whole, fraction, unit = match.groups()
    thousandths = int(whole) * 1000 + int((fraction or "0").ljust(3, "0"))
    return -(-thousandths * _UNIT_BYTES.get(unit, 1) // 1000)


def format_cpu(millicores: int) -> str:
    """Return the shortest quantity for `millicores`."""
    return f"{millicores}m" if millicores % 1000 else str(millicores // 1000)


def format_memory(amount_bytes: int) -> str:
    """Return the quantity for `amount_bytes` in the largest binary unit that loses nothing."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if amount_bytes and amount_bytes % _UNIT_BYTES[unit] == 0:
            return f"{amount_bytes // _UNIT_BYTES[unit]}{unit}"
    return str(amount_bytes)
