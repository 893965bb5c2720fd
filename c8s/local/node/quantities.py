"""Amounts of cpu and memory as Kubernetes writes them.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import Decimal

_QUANTITY = re.compile(r"([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)")
_SUFFIXES = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIXES = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


def parse_quantity(text: str | int | float) -> Decimal:
    """`500m` → 0.5, `1Gi` → 1073741824. Raises ValueError."""
    match = _QUANTITY.fullmatch(str(text))
    if match is None or match[1].count(".") > 1 or not any(sign.isdigit() for sign in match[1]):
        raise ValueError(f"not a quantity: {text!r}")
    number, exponent, suffix = match.groups()
    if exponent:
        return Decimal(number + exponent)
    if suffix in _BINARY_SUFFIXES:
        return Decimal(number) * Decimal(2) ** _BINARY_SUFFIXES[suffix]
    return Decimal(number).scaleb(_SUFFIXES.get(suffix or "", 0))
