"""What a step hands on: `$C8S_OUTPUT` read, and the files that later steps find."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from c8s.runner.endings import Impossible
from c8s.runner.exchange import read_regular

OUTPUTS_BYTES = 1024 * 1024
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
STEP = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class ParsedOutputs:
    """`values` of declared names only; `undeclared` are the others, in the order of the file."""

    values: Mapping[str, str]
    undeclared: tuple[str, ...]


def parse_outputs(text: str, declared: Collection[str]) -> ParsedOutputs:
    """Read lines `name=value`, and `name<<END`, lines, `END`. The last value of a name counts.

    Raises Impossible, with the number of the line, for anything else.
    """
    values: dict[str, str] = {}
    lines = iter(enumerate(text.split("\n"), start=1))
    for number, line in lines:
        name, equals, value = line.partition("=")
        before, opening, ending = line.partition("<<")
        if not line.strip():
            continue
        if opening and NAME.fullmatch(before) and ending.strip():
            values[before] = _read_lines(lines, ending.strip(), number)
        elif equals and NAME.fullmatch(name):
            values[name] = value.removesuffix("\r")
        else:
            raise Impossible(
                "OutputsMalformed", f"line {number} of $C8S_OUTPUT is neither name=value nor name<<END"
            )
    known = {name: value for name, value in values.items() if name in declared}
    return ParsedOutputs(known, tuple(name for name in values if name not in declared))


def _read_lines(lines: Iterator[tuple[int, str]], ending: str, number: int) -> str:
    taken: list[str] = []
    for _, line in lines:
        if line.removesuffix("\r") == ending:
            return "\n".join(taken)
        taken.append(line)
    raise Impossible(
        "OutputsMalformed", f"line {number} of $C8S_OUTPUT opens with <<{ending[:40]}, which never follows"
    )


def read_outputs(path: Path, declared: Collection[str]) -> ParsedOutputs:
    """Read a step's `$C8S_OUTPUT`; a file that is not there holds nothing. Raises Impossible."""
    content = read_regular(path, OUTPUTS_BYTES + 1)
    if content is None:
        return ParsedOutputs({}, ())
    if len(content) > OUTPUTS_BYTES:
        raise Impossible("OutputsTooLarge", f"$C8S_OUTPUT has more than {OUTPUTS_BYTES} bytes")
    try:
        return parse_outputs(content.decode("utf-8"), declared)
    except UnicodeDecodeError as error:
        raise Impossible("OutputsMalformed", "$C8S_OUTPUT is not text in UTF-8") from error


def write_outputs(folder: Path, step: str, outputs: Mapping[str, object]) -> None:
    """Write each value as the file `<folder>/<step>/<name>`. Raises ValueError for names that are none."""
    if not STEP.fullmatch(step) or not all(NAME.fullmatch(name) for name in outputs):
        raise ValueError("outputs have a name that c8s does not give")
    inside = folder / step
    inside.mkdir(parents=True, exist_ok=True)
    for name, value in outputs.items():
        (inside / name).write_text(str(value), encoding="utf-8", newline="")
