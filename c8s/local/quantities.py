"""Amounts of cpu and memory as Kubernetes writes them.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount and whether it is written in powers of two; a sum is written as its first part that isn't 0.

    Source: k8s.io/apimachinery/pkg/api/resource/quantity.go.
    """

    amount: Decimal = Decimal(0)
    is_binary: bool = False

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.amount + other.amount, self.is_binary if self.amount else other.is_binary)

    def __str__(self) -> str:
        """Canonical: the largest suffix with which the number is whole."""
        if self.is_binary and abs(self.amount) >= 1024 and self.amount == self.amount.to_integral_value():
            return _with_suffix(
                self.amount, {name: Decimal(2) ** power for name, power in _BINARY_SUFFIXES.items()}
            )
        return _with_suffix(self.amount, {name: Decimal(10) ** power for name, power in _SUFFIXES.items()})


def read_quantity(text: str | int | float) -> Quantity:
    """Raises ValueError."""
    return Quantity(parse_quantity(text), str(text).endswith("i"))


def _with_suffix(amount: Decimal, sizes: dict[str, Decimal]) -> str:
    by_size = sorted({**sizes, "": Decimal(1)}.items(), key=lambda entry: -entry[1])
    for suffix, size in by_size:
        number = amount / size
        if amount and number == number.to_integral_value():
            return f"{int(number)}{suffix}"
    return "0" if not amount else f"{amount.normalize():f}"
