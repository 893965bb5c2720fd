"""Values of a pipeline's parameters on the command line: `--param version=1.4`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from c8s.cli.errors import UsageError


def add_params_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the value of a parameter of the pipeline; again for more",
    )


def parse_params(words: Iterable[str]) -> dict[str, str]:
    """The values by name. Raises `UsageError`."""
    values: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not (name and sign):
            raise UsageError(f"--param {word} names no value", "write --param NAME=VALUE")
        if name in values:
            raise UsageError(f"--param gives {name} twice", "give each parameter one value")
        values[name] = value
    return values
